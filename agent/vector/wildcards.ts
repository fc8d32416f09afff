import { isReserved, reservedPrefix } from "./reserved.ts";

type Json = Readonly<Record<string, unknown>>;

/** An object, or an empty one for anything else that a person wrote in its place. */
export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json) // Keys of a parsed YAML map are strings.
    : {};
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The output ids of one source or transform: its default output, its named ones, or both. */
function outputsOf(id: string, component: Json): readonly string[] {
  const named = (names: readonly string[]): readonly string[] => names.map((n) => `${id}.${n}`);
  switch (component["type"]) {
    case "route":
      return named([
        ...Object.keys(objectOf(component["route"])),
        ...(component["reroute_unmatched"] === false ? [] : ["_unmatched"]),
      ]);
    case "exclusive_route": {
      const routes = Array.isArray(component["routes"]) ? component["routes"] : [];
      const names = routes.map((route) => objectOf(route)["name"]);
      return named([...names.filter((name) => typeof name === "string"), "_unmatched"]);
    }
    case "remap":
      return [id, ...(component["reroute_dropped"] === true ? named(["dropped"]) : [])];
    case "opentelemetry":
      return named(["logs", "metrics", "traces"]);
    case "datadog_agent":
      if (component["multiple_outputs"] !== true) return [id];
      return named(
        ["logs", "metrics", "traces"].filter((kind) => component[`disable_${kind}`] !== true),
      );
    default:
      return [id];
  }
}

/** A glob of Vector's kind as a regular expression: `*` crosses dots. */
export function globToRegExp(pattern: string): RegExp {
  const body = pattern.replaceAll(/\*+|\?|\[[^\]]+\]|[\\^$.|+(){}[\]]/g, (part) => {
    if (part.startsWith("*")) return ".*";
    if (part === "?") return ".";
    if (!part.startsWith("[") || part === "[") return `\\${part}`;
    const set = part.slice(1, -1).replaceAll("\\", "\\\\").replace(/^!/, "^");
    return `[${set}]`;
  });
  return new RegExp(`^${body}$`, "s");
}

/**
 * The inputs of each component in which a wildcard would also match an injected component, with
 * that wildcard expanded against the person's own components. Other inputs stay as written.
 */
export function expandedInputs(config: Json): ReadonlyMap<string, readonly string[]> {
  const producers = { ...objectOf(config["sources"]), ...objectOf(config["transforms"]) };
  const outputs = Object.entries(producers).flatMap(([id, component]) =>
    isReserved(id) ? [] : outputsOf(id, objectOf(component)).map((output) => ({ id, output })),
  );
  const expanded = new Map<string, readonly string[]>();
  for (const section of ["transforms", "sinks"]) {
    for (const [id, component] of Object.entries(objectOf(config[section]))) {
      const inputs = stringsOf(objectOf(component)["inputs"]);
      if (!inputs.some(catchesReserved)) continue;
      expanded.set(
        `${section}/${id}`,
        inputs.flatMap((input) => {
          if (!catchesReserved(input)) return [input];
          const pattern = globToRegExp(input);
          return outputs
            .filter((candidate) => candidate.id !== id && pattern.test(candidate.output))
            .map((candidate) => candidate.output);
        }),
      );
    }
  }
  return expanded;
}

function catchesReserved(input: string): boolean {
  if (!/[*?[]/.test(input)) return false;
  const pattern = globToRegExp(input);
  return [`${reservedPrefix}metrics`, `${reservedPrefix}kept`].some((id) => pattern.test(id));
}
