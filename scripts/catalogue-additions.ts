import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import type { CatalogueFile, OptionFacts } from "../server/configuration/catalogue.ts";

/** What is changed of an option, or of all that a pattern finds. Null takes a fact away. */
interface Change {
  readonly where?: { readonly enum?: readonly string[]; readonly beside?: string };
  /** Options to add below it. */
  readonly below?: Readonly<Record<string, Change>>;
  readonly [fact: string]: unknown;
}

interface Entry {
  readonly for: readonly string[];
  readonly options: Readonly<Record<string, Change>>;
}

/**
 * The facts with those that are kept beside them; again, nothing changes. Throws when one is about what does not exist.
 */
export function addFacts(facts: CatalogueFile, text: string): CatalogueFile {
  // The file is part of the repository; what it says is checked below.
  const entries = parse(text) as readonly Entry[];
  const wrong = new Set(entries.flatMap((entry) => entry.for));
  const changed = (name: string, options: readonly OptionFacts[]): readonly OptionFacts[] =>
    entries.reduce<readonly OptionFacts[]>((before, entry) => {
      const names = entry.for.filter((own) => own === name || own === `${kindOf(name)}/*`);
      if (names.length === 0) return before;
      for (const own of names) wrong.delete(own);
      return Object.entries(entry.options).reduce<readonly OptionFacts[]>(
        (list, [path, change]) => apply(list, path, change),
        before,
      );
    }, options);
  const added: CatalogueFile = {
    ...facts,
    common_options: {
      source: changed("common/source", facts.common_options.source),
      transform: changed("common/transform", facts.common_options.transform),
      sink: changed("common/sink", facts.common_options.sink),
    },
    global_options: changed("global", facts.global_options),
    enrichment_tables: {
      ...facts.enrichment_tables,
      options: changed("enrichment_tables", facts.enrichment_tables.options),
    },
    components: facts.components.map((component) => ({
      ...component,
      options: changed(`${component.kind}/${component.type}`, component.options),
    })),
  };
  if (wrong.size > 0) throw new Error(`nothing to add facts to: ${[...wrong].join(", ")}`);
  return added;
}

function kindOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

function apply(
  options: readonly OptionFacts[],
  path: string,
  { where, below = {}, ...change }: Change,
): readonly OptionFacts[] {
  const paths = new Set(options.map((option) => option.path));
  const isMeant = (option: OptionFacts): boolean =>
    isAt(option.path, path) &&
    (where?.enum === undefined || isDeepStrictEqual(option.enum, where.enum)) &&
    (where?.beside === undefined ||
      paths.has(option.path.replace(/[^.]*$/, () => where.beside ?? "")));
  const meant = options.filter(isMeant).map((option) => option.path);
  if (meant.length === 0 && !path.startsWith("**")) {
    if (change["type"] === undefined) throw new Error(`there is no option ${path} to add facts to`);
    return [...options, withFacts({ path, type: "", required: false, hidden: true }, change)];
  }
  const changed = options.map((option) => (isMeant(option) ? withFacts(option, change) : option));
  return meant.reduce<readonly OptionFacts[]>(
    (list, parent) =>
      Object.entries(below).reduce<readonly OptionFacts[]>(
        (before, [name, child]) => apply(before, `${parent}.${name}`, child),
        list,
      ),
    changed,
  );
}

function isAt(path: string, pattern: string): boolean {
  if (!pattern.startsWith("**")) return path === pattern;
  const end = pattern.slice(2);
  return path === end || path.endsWith(`.${end}`);
}

function withFacts(option: OptionFacts, change: Readonly<Record<string, unknown>>): OptionFacts {
  const all = Object.entries({ ...option, ...change }).filter(([, value]) => value !== null);
  // What was written by hand names the facts of an option.
  return Object.fromEntries(all) as unknown as OptionFacts;
}
