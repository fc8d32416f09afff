import type { Snippet } from "#gen/vectorflow/v1/snippet_pb.ts";
import type { Template } from "#gen/vectorflow/v1/template_pb.ts";

/** Templates and snippets of the fake world. */
export class FakeTemplates {
  readonly snippets = new Map<string, Snippet>();
  readonly templates = new Map<string, Template>();
  /** Pipelines that were made from them. */
  readonly made: { readonly name: string; readonly yaml: string }[] = [];
}
