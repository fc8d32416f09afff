import { gunzipSync } from "node:zlib";
import { kinds, type Catalogue, type OptionFacts } from "../configuration/catalogue.ts";
import { readSchema, type SchemaComponents, type SchemaOption } from "./schema-options.ts";

/** How the components of a version of Vector differ from those that the product knows. */
export interface VersionDifference {
  readonly version: string;
  /** Components that it has, as `kind/type`, and the product does not know. */
  readonly addsTypes: readonly string[];
  readonly lacksTypes: readonly string[];
  /** By `kind/type`. */
  readonly addsOptions: Readonly<Record<string, readonly SchemaOption[]>>;
  /** Paths. What is below them is not listed. */
  readonly lacksOptions: Readonly<Record<string, readonly string[]>>;
  /** Values of options, by `kind/type` and by path, that it does not take. */
  readonly lacksValues: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const maximumJsonBytes = 16 * 1024 * 1024;

export function differenceOf(
  version: string,
  schemaGzip: Uint8Array,
  catalogue: Catalogue,
): VersionDifference {
  const text = gunzipSync(schemaGzip, { maxOutputLength: maximumJsonBytes }).toString("utf8");
  return compareSchema(version, readSchema(JSON.parse(text)), catalogue);
}

export function compareSchema(
  version: string,
  components: SchemaComponents,
  catalogue: Catalogue,
): VersionDifference {
  const known = kinds.flatMap((kind) => catalogue.types(kind).map((type) => `${kind}/${type}`));
  const addsOptions: Record<string, readonly SchemaOption[]> = {};
  const lacksOptions: Record<string, readonly string[]> = {};
  const lacksValues: Record<string, Readonly<Record<string, readonly string[]>>> = {};
  for (const kind of kinds) {
    for (const type of catalogue.types(kind)) {
      const theirs = components.get(`${kind}/${type}`);
      const facts = catalogue.component(kind, type);
      if (theirs === undefined || facts === undefined) continue;
      const ours = new Map(
        catalogue.options(facts).map((option) => [withoutItems(option.path), option]),
      );
      // A schema that tells no options, as an outline does, says nothing of them.
      const adds = theirs.size === 0 ? [] : added(theirs, ours);
      const lacks = theirs.size === 0 ? [] : lacking(facts.options, theirs);
      if (adds.length > 0) addsOptions[`${kind}/${type}`] = adds;
      if (lacks.length > 0) lacksOptions[`${kind}/${type}`] = lacks;
      const values = lackingValues(facts.options, theirs);
      if (values.length > 0) lacksValues[`${kind}/${type}`] = Object.fromEntries(values);
    }
  }
  return {
    version,
    addsTypes: [...components.keys()].filter((name) => !known.includes(name)),
    lacksTypes: known.filter((name) => !components.has(name)),
    addsOptions,
    lacksOptions,
    lacksValues,
  };
}

/** What a condition may be besides a text is the same for all of them, and in no list of options. */
const ofConditions = /\.(?:type|source|runtime)$/;
function added(
  theirs: ReadonlyMap<string, SchemaOption>,
  ours: ReadonlyMap<string, OptionFacts>,
): readonly SchemaOption[] {
  return [...theirs.values()].filter(({ path }) => {
    const place = withoutItems(path);
    if (ours.has(place)) return false;
    const parent = place.slice(0, Math.max(place.lastIndexOf("."), 0));
    return !(ofConditions.test(path) && ours.get(parent)?.type === "condition");
  });
}

/** Where one or many are taken, the many are like the one. */
function withoutItems(path: string): string {
  return path.replaceAll("[]", "");
}

/** Of what Vector hides, a schema says nothing. */
function lacking(
  ours: readonly OptionFacts[],
  theirs: ReadonlyMap<string, SchemaOption>,
): readonly string[] {
  const paths = ours
    .filter(({ path, hidden }) => hidden !== true && !theirs.has(path))
    .map(({ path }) => path);
  const missing = new Set(paths);
  return paths.filter((path) => {
    const parts = path.split(".");
    return !parts.some((_part, at) => at > 0 && missing.has(parts.slice(0, at).join(".")));
  });
}

function lackingValues(
  ours: readonly OptionFacts[],
  theirs: ReadonlyMap<string, SchemaOption>,
): readonly (readonly [string, readonly string[]])[] {
  return ours.flatMap(({ path, enum: known = [] }) => {
    const values = theirs.get(path)?.enum;
    const lacking = values === undefined ? [] : known.filter((value) => !values.includes(value));
    return lacking.length === 0 ? [] : [[path, lacking] as const];
  });
}

/** Compares versions by their numbers; one before a release comes before it. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string): readonly number[] =>
    (version.split(/[-+]/, 1)[0] ?? "").split(".").map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return Number(b.includes("-")) - Number(a.includes("-")) || (a < b ? -1 : a > b ? 1 : 0);
}
