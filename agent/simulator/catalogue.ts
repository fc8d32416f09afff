import { readFileSync } from "node:fs";

export type Kind = "source" | "transform" | "sink";
export const kinds = ["source", "transform", "sink"] as const;
export type DataType = "log" | "metric" | "trace";

/** What the catalogue tells of one option. `path` is dotted; `x.*` any key, `x[].y` list elements. */
export interface OptionFacts {
  readonly path: string;
  readonly type: string | readonly string[];
  /** Types that are taken besides. */
  readonly also?: readonly string[];
  readonly aliases?: readonly string[];
  readonly required?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  /** Values that are read as others. */
  readonly enum_aliases?: Readonly<Record<string, string>>;
  readonly relevant_when?: string;
  readonly required_when?: string;
  /** Required only in one arm of a union. */
  readonly variant?: boolean;
}

export interface ComponentFacts {
  readonly kind: Kind;
  readonly type: string;
  readonly strict: boolean;
  readonly inputs?: readonly DataType[];
  readonly inputs_by?: string;
  readonly outputs?: readonly DataType[];
  readonly outputs_by?: string;
  readonly options: readonly OptionFacts[];
}

interface Catalogue {
  readonly codecs: Readonly<
    Record<"encoding" | "decoding", Readonly<Record<string, readonly DataType[]>>>
  >;
  readonly common_options: Readonly<Record<Kind, readonly OptionFacts[]>>;
  readonly global_options: readonly OptionFacts[];
  readonly components: readonly ComponentFacts[];
}

let loaded: Catalogue | undefined;

/** The facts about Vector's components, read when first asked for: `--version` does without. */
export function catalogue(): Catalogue {
  const file = new URL("../../common/vector-catalogue.json", import.meta.url);
  loaded ??= JSON.parse(readFileSync(file, "utf8")) as Catalogue;
  return loaded;
}

export function componentFacts(kind: Kind, type: string): ComponentFacts | undefined {
  return catalogue().components.find((facts) => facts.kind === kind && facts.type === type);
}
