import type { Template } from "#gen/vectorflow/v1/template_pb.ts";

/** Templates of the fake world. */
export class FakeTemplates {
  readonly templates = new Map<string, Template>();
  /** Pipelines that were made from them. */
  readonly made: { readonly name: string; readonly yaml: string }[] = [];
}
