import { readFileSync } from "node:fs";

export type Kind = "source" | "transform" | "sink";
export const kinds = ["source", "transform", "sink"] as const satisfies readonly Kind[];
export type DataType = "log" | "metric" | "trace";

/** One option of a component. Paths are dotted; `a.*` is any key of a map, `a[].b` a field of a list's items. */
export interface OptionFacts {
  readonly path: string;
  readonly type: string | readonly string[];
  readonly required?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly relevant_when?: string;
  readonly required_when?: string;
  readonly variant?: boolean;
  readonly syntax?: string;
  readonly unit?: string;
  readonly deprecated?: boolean;
  /** It holds a secret by its nature. */
  readonly sensitive?: "redacted" | "plain";
}

/** A named output; the name null is the default output. */
export interface PortFacts {
  readonly name: string | null;
  readonly types: readonly DataType[];
  readonly dynamic?: string;
}

export interface ComponentFacts {
  readonly kind: Kind;
  readonly type: string;
  readonly title: string;
  readonly status: "stable" | "beta" | "deprecated";
  /** The type that this one is another name of. */
  readonly alias_of?: string;
  /** Vector itself refuses unknown option names. */
  readonly strict: boolean;
  readonly inputs?: readonly DataType[];
  readonly inputs_by?: string;
  readonly outputs?: readonly DataType[];
  readonly outputs_by?: string;
  readonly ports?: readonly PortFacts[];
  readonly options: readonly OptionFacts[];
}

/** What people read, in our own words: of options that are the same everywhere, and of single components. */
export interface Descriptions {
  readonly shared: Readonly<Record<string, string>>;
  readonly components: Readonly<
    Record<string, { readonly text: string; readonly options?: Readonly<Record<string, string>> }>
  >;
}

export interface CatalogueFile {
  readonly vector: { readonly version: string; readonly commit: string };
  readonly descriptions?: Descriptions;
  readonly codecs: Record<"encoding" | "decoding", Record<string, readonly DataType[]>>;
  readonly common_options: Record<Kind, readonly OptionFacts[]>;
  readonly global_options: readonly OptionFacts[];
  readonly components: readonly ComponentFacts[];
}

/** What is known of Vector's components. */
export interface Catalogue {
  /** The version of Vector that it is of. */
  readonly vectorVersion: string;
  readonly codecs: CatalogueFile["codecs"];
  readonly globalNames: ReadonlySet<string>;
  component(kind: Kind, type: string): ComponentFacts | undefined;
  /** The types of a kind, sorted. */
  types(kind: Kind): readonly string[];
  /** Options that every component of a kind has, and its own. */
  options(facts: ComponentFacts): readonly OptionFacts[];
  /** What a component is for, or an option of it; empty when nobody has described it. */
  describe(facts: ComponentFacts, path?: string): string;
}

let loaded: Catalogue | undefined;

/** Reads the catalogue that ships with the product, once. */
export function loadCatalogue(): Catalogue {
  if (loaded !== undefined) return loaded;
  const path = new URL("../../common/vector-catalogue.json", import.meta.url);
  const file = JSON.parse(readFileSync(path, "utf8")) as CatalogueFile;
  const byName = new Map(file.components.map((facts) => [`${facts.kind}/${facts.type}`, facts]));
  const { shared = {}, components = {} } = file.descriptions ?? {};
  loaded = {
    vectorVersion: file.vector.version,
    codecs: file.codecs,
    globalNames: new Set(file.global_options.map(({ path }) => path.split(".", 1)[0] ?? path)),
    component: (kind, type) => byName.get(`${kind}/${type}`),
    types: (kind) =>
      file.components
        .filter((facts) => facts.kind === kind)
        .map(({ type }) => type)
        .toSorted(),
    options: (facts) => [...file.common_options[facts.kind], ...facts.options],
    describe(facts, path) {
      const own = components[`${facts.kind}/${facts.alias_of ?? facts.type}`];
      return (path === undefined ? own?.text : (own?.options?.[path] ?? shared[path])) ?? "";
    },
  };
  return loaded;
}
