import type { VrlKind, VrlMembers } from "#vrl/vrl.ts";

/** Any object: what Vector takes an event for of which it knows nothing. */
export const anyObject: VrlKind = { types: [], object: { known: {}, unknown: "any" } };

export function objectOf(known: Readonly<Record<string, VrlKind>>): VrlKind {
  return { types: [], object: { known, unknown: "any" } };
}

export const text: VrlKind = { types: ["bytes"] };

/** The members of what can be nothing but an object. */
export function membersOf(kind: VrlKind | undefined): VrlMembers | undefined {
  return typeof kind === "object" && kind.types.length === 0 && kind.array === undefined
    ? kind.object
    : undefined;
}

export function orAbsent(kind: VrlKind): VrlKind {
  return typeof kind === "string" || kind.types.includes("undefined")
    ? kind
    : { ...kind, types: [...kind.types, "undefined"] };
}

/**
 * What is of one kind or of another. `lenient` keeps the kind of a member that only one of the two knows, as one that
 * may be absent: good for proposals, and not true where the other can have anything by that name.
 */
export function eitherOf(a: VrlKind, b: VrlKind, lenient: boolean): VrlKind {
  if (a === b) return a;
  if (typeof a === "string" || typeof b === "string") return "any";
  const object = eitherMembers(a.object, b.object, lenient);
  const array = eitherMembers(a.array, b.array, lenient);
  return {
    types: [...new Set([...a.types, ...b.types])].toSorted(),
    ...(object && { object }),
    ...(array && { array }),
  };
}

function eitherMembers(
  a: VrlMembers | undefined,
  b: VrlMembers | undefined,
  lenient: boolean,
): VrlMembers | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const known: Record<string, VrlKind> = {};
  for (const name of new Set([...Object.keys(a.known), ...Object.keys(b.known)])) {
    const [one, other] = [a.known[name], b.known[name]];
    if (one !== undefined && other !== undefined) known[name] = eitherOf(one, other, lenient);
    else {
      const rest = one === undefined ? a.unknown : b.unknown;
      const only = one ?? other ?? "any";
      known[name] =
        rest === undefined || lenient ? orAbsent(only) : eitherOf(only, orAbsent(rest), lenient);
    }
  }
  const unknown =
    a.unknown === undefined || b.unknown === undefined
      ? (a.unknown ?? b.unknown)
      : eitherOf(a.unknown, b.unknown, lenient);
  return { known, ...(unknown && { unknown }) };
}

/** A field that events have, as far as is known. */
export interface KnownField {
  /** A path of VRL, like `.http.status`. */
  readonly path: string;
  /** Types as VRL names them; empty when it can be anything. */
  readonly types: readonly string[];
  /** Every event has it, with one of these types. Otherwise it is what events usually have. */
  readonly certain: boolean;
}

const maximumFields = 200;
const maximumDepth = 4;

/** The fields that a kind names, with those of objects in it, in the order of their paths. */
export function fieldsOf(likely: VrlKind, sure: VrlKind): readonly KnownField[] {
  const fields: KnownField[] = [];
  const visit = (kind: VrlKind, certain: VrlKind | undefined, prefix: string, depth: number) => {
    const members = typeof kind === "object" ? kind.object : undefined;
    if (members === undefined || depth > maximumDepth) return;
    for (const name of Object.keys(members.known).toSorted()) {
      const member = members.known[name] ?? "any";
      const types = namesOf(member);
      if (fields.length >= maximumFields || types === undefined) continue;
      const own = membersOf(certain)?.known[name];
      const path = `${prefix}.${/^[A-Za-z_@][\w@]*$/.test(name) ? name : JSON.stringify(name)}`;
      fields.push({ path, types, certain: own !== undefined && isWithin(own, types) });
      visit(member, own, path, depth + 1);
    }
  };
  visit(likely, sure, "", 1);
  return fields;
}

/** Undefined for what is never there. */
function namesOf(kind: VrlKind): readonly string[] | undefined {
  if (typeof kind === "string") return [];
  const names = kind.types
    .filter((type) => type !== "undefined")
    .map((type) => (type === "bytes" ? "string" : type));
  if (kind.object !== undefined) names.push("object");
  if (kind.array !== undefined) names.push("array");
  return names.length === 0 ? undefined : names.length > 6 ? [] : names;
}

function isWithin(kind: VrlKind, types: readonly string[]): boolean {
  if (typeof kind === "string" || kind.types.includes("undefined")) return false;
  const own = namesOf(kind) ?? [];
  return own.length > 0 && own.every((type) => types.includes(type));
}
