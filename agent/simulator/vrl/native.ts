import type { SimEvent, Value } from "../event.ts";

/** The verdict of a condition; undefined: it failed at run time. */
export type Condition = (event: SimEvent) => boolean | undefined;

/**
 * Conditions that need no VRL engine: literals, comparisons of a field with a literal, `exists`,
 * and `includes([…], string!(.field))`, joined by `&&` or by `||`. The agent injects one of the last
 * form into every pipeline, and hosts with nothing else need no engine.
 *
 * Undefined when the text is anything else.
 */
export function nativeCondition(source: string): Condition | undefined {
  for (const [operator, joined] of [
    ["||", "some"],
    ["&&", "every"],
  ] as const) {
    const terms = source.split(operator).map((term) => nativeTerm(term.trim()));
    if (terms.length === 1) continue;
    const known = terms.filter((term) => term !== undefined);
    if (known.length < terms.length) return undefined;
    return (event) => {
      const verdicts = known.map((term) => term(event));
      return verdicts.includes(undefined)
        ? undefined
        : verdicts[joined]((verdict) => verdict === true);
    };
  }
  return nativeTerm(source.trim());
}

const path = String.raw`(\.[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`;
const literal = String.raw`("(?:[^"\\{}]|\\["\\nt])*"|-?\d+|true|false|null)`;
const comparison = new RegExp(`^${path}\\s*(==|!=)\\s*${literal}$`);
const existence = new RegExp(String.raw`^(!?)exists\(${path}\)$`);
const inclusion = new RegExp(String.raw`^includes\(\s*\[([^\]]*)\]\s*,\s*string!\(${path}\)\s*\)$`);

function nativeTerm(source: string): Condition | undefined {
  if (source === "true" || source === "false") return () => source === "true";
  const compared = comparison.exec(source);
  if (compared !== null) {
    const [, field = "", operator, value = "null"] = compared;
    const wanted = JSON.parse(value) as Value;
    return (event) => ((fieldOf(event, field) ?? null) === wanted) === (operator === "==");
  }
  const existing = existence.exec(source);
  if (existing !== null) {
    const [, not, field = ""] = existing;
    return (event) => (fieldOf(event, field) !== undefined) === (not === "");
  }
  const [, items, field = ""] = inclusion.exec(source) ?? [];
  if (items === undefined) return undefined;
  const names = stringList(items);
  if (names === undefined) return undefined;
  return (event) => {
    const value = fieldOf(event, field);
    return typeof value === "string" ? names.has(value) : undefined;
  };
}

function stringList(items: string): ReadonlySet<string> | undefined {
  try {
    const parsed: unknown = JSON.parse(`[${items.trim().replace(/,$/, "")}]`);
    if (!Array.isArray(parsed) || parsed.some((item) => typeof item !== "string")) return undefined;
    return new Set(parsed as readonly string[]);
  } catch {
    return undefined;
  }
}

function fieldOf(event: SimEvent, dotted: string): Value | undefined {
  const keys = dotted.slice(1).split(".");
  const root: Value = event.kind === "log" ? event.fields : metricFields(event);
  return keys.reduce<Value | undefined>((value, key) => {
    if (
      typeof value !== "object" ||
      value === null ||
      value instanceof Date ||
      Array.isArray(value)
    )
      return undefined;
    return (value as Readonly<Record<string, Value>>)[key];
  }, root);
}

/** A metric as VRL programs see it. */
export function metricFields(
  event: Extract<SimEvent, { kind: "metric" }>,
): Readonly<Record<string, Value>> {
  return {
    name: event.name,
    ...(event.namespace === undefined ? {} : { namespace: event.namespace }),
    tags: event.tags,
    kind: "absolute",
    timestamp: event.timestamp,
    type: event.type,
  };
}
