import { readFileSync } from "node:fs";

export type Kind = "source" | "transform" | "sink";
export const kinds = ["source", "transform", "sink"] as const satisfies readonly Kind[];
export type DataType = "log" | "metric" | "trace";

/** One option of a component. Paths are dotted; `a.*` is any key of a map, `a[].b` a field of a list's items. */
export interface OptionFacts {
  readonly path: string;
  readonly type: string | readonly string[];
  /** Types that Vector takes besides, and nobody is offered. */
  readonly also?: readonly string[];
  /** Other names that Vector reads for it. */
  readonly aliases?: readonly string[];
  readonly required?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  /** Values that are read besides `enum`, and nobody is offered, with those that they stand for. */
  readonly enum_aliases?: Readonly<Record<string, string>>;
  readonly relevant_when?: string;
  readonly required_when?: string;
  /** Vector refuses it where it is not relevant. */
  readonly only_when_relevant?: boolean;
  /** Paths of options of which at least one is needed, this one among them. */
  readonly one_of?: readonly string[];
  /** With `one_of`: two of them are refused. */
  readonly exclusive?: boolean;
  /** Accepted, and in no form. */
  readonly hidden?: boolean;
  /** Vector refuses unknown names below it. */
  readonly strict?: boolean;
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
  readonly enrichment_tables: {
    readonly types: readonly string[];
    readonly options: readonly OptionFacts[];
  };
  readonly components: readonly ComponentFacts[];
}

/** A path that an option may be written with: its own, or one with another name of it. */
export interface OptionSpelling {
  readonly path: string;
  readonly option: OptionFacts;
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
  /** The options that are in no component, enrichment tables and tests among them. */
  readonly globalOptions: readonly OptionFacts[];
  /** Options that every component of a kind has, and its own: the same list each time. */
  options(facts: ComponentFacts): readonly OptionFacts[];
  /** The same by all paths that they may be written with. */
  spellings(facts: ComponentFacts): readonly OptionSpelling[];
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
  const options = memoized((facts: ComponentFacts): readonly OptionFacts[] => [
    ...file.common_options[facts.kind],
    ...facts.options,
  ]);
  const globalOptions = [...file.global_options, ...tableOptions(file)];
  loaded = {
    vectorVersion: file.vector.version,
    codecs: file.codecs,
    globalNames: new Set(globalOptions.map(({ path }) => path.split(/[.[]/, 1)[0] ?? path)),
    component: (kind, type) => byName.get(`${kind}/${type}`),
    types: (kind) =>
      file.components
        .filter((facts) => facts.kind === kind)
        .map(({ type }) => type)
        .toSorted(),
    globalOptions,
    options,
    spellings: memoized((facts) => spellingsOf(options(facts))),
    describe(facts, path) {
      const own = components[`${facts.kind}/${facts.alias_of ?? facts.type}`];
      return (path === undefined ? own?.text : (own?.options?.[path] ?? shared[path])) ?? "";
    },
  };
  return loaded;
}

/** Enrichment tables, which have any names. */
function tableOptions({ enrichment_tables: tables }: CatalogueFile): readonly OptionFacts[] {
  return [
    { path: "enrichment_tables", type: "object" },
    { path: "enrichment_tables.*", type: "object" },
    ...tables.options.map((option) => ({ ...option, path: `enrichment_tables.*.${option.path}` })),
  ];
}

/** Where options may stand: their paths, and those with another name of the option or of one map around it. */
function spellingsOf(options: readonly OptionFacts[]): readonly OptionSpelling[] {
  const aliased = options.filter(({ aliases }) => aliases !== undefined);
  return options.flatMap((option) => {
    const around = aliased.filter(
      ({ path }) => option.path === path || option.path.startsWith(`${path}.`),
    );
    const paths = [
      option.path,
      ...around.flatMap(({ path, aliases = [] }) =>
        aliases.map((alias) => renamed(option.path, path, alias)),
      ),
    ];
    return paths.map((path) => ({ path, option }));
  });
}

function renamed(path: string, option: string, alias: string): string {
  const parent = option.slice(0, option.lastIndexOf(".") + 1);
  return `${parent}${alias}${path.slice(option.length)}`;
}

function memoized<Value>(make: (facts: ComponentFacts) => Value): (facts: ComponentFacts) => Value {
  const made = new Map<ComponentFacts, Value>();
  return (facts) => {
    const known = made.get(facts);
    if (known !== undefined) return known;
    const value = make(facts);
    made.set(facts, value);
    return value;
  };
}
