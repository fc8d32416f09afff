import { catalogue, componentFacts, type DataType } from "./catalogue.ts";
import { at, bool, type Component, isRecord, text } from "./config.ts";

/** An output of a component: its default output has no port. */
export interface OutputPort {
  readonly port: string | undefined;
  readonly types: readonly DataType[];
}

const all: readonly DataType[] = ["log", "metric", "trace"];

export const outputId = (component: string, port: string | undefined): string =>
  port === undefined ? component : `${component}.${port}`;

/** The outputs of a component, as its options make them. */
export function outputsOf(
  component: Pick<Component, "kind" | "type" | "options">,
): readonly OutputPort[] {
  const { kind, type, options } = component;
  if (kind === "sink") return [];
  const one = (port: string | undefined, types: readonly DataType[] = all): OutputPort => ({
    port,
    types,
  });
  switch (`${kind} ${type}`) {
    case "transform route": {
      const routes = at(options, "route");
      const unmatched = bool(options, "reroute_unmatched", true) ? ["_unmatched"] : [];
      return [...(isRecord(routes) ? Object.keys(routes) : []), ...unmatched].map((port) =>
        one(port),
      );
    }
    case "transform exclusive_route": {
      const routes = at(options, "routes");
      const names = (Array.isArray(routes) ? routes : []).map((route) => at(route, "name"));
      return [...names.filter((name) => typeof name === "string"), "_unmatched"].map((port) =>
        one(port),
      );
    }
    case "transform remap":
      return bool(options, "reroute_dropped", false)
        ? [one(undefined), one("dropped")]
        : [one(undefined)];
    case "source opentelemetry":
      return [one("logs", ["log"]), one("metrics", ["metric"]), one("traces", ["trace"])];
    case "source datadog_agent":
      if (!bool(options, "multiple_outputs", false)) return [one(undefined)];
      return (["log", "metric", "trace"] as const)
        .filter((name) => !bool(options, `disable_${name}s`, false))
        .map((name) => one(`${name}s`, [name]));
    default:
      return [one(undefined, typesOf(component, "outputs"))];
  }
}

/** The event types that a transform or sink takes. */
export function inputTypesOf(
  component: Pick<Component, "kind" | "type" | "options">,
): readonly DataType[] {
  return typesOf(component, "inputs");
}

function typesOf(
  component: Pick<Component, "kind" | "type" | "options">,
  side: "inputs" | "outputs",
): readonly DataType[] {
  const facts = componentFacts(component.kind, component.type);
  const types = facts?.[side] ?? all;
  const by = facts?.[`${side}_by`]?.split(", ") ?? [];
  const codec = by.map((path) => text(component.options, path)).find((name) => name !== undefined);
  if (by.length === 0) return types;
  // Without a codec a source decodes to logs.
  if (codec === undefined)
    return side === "outputs" ? types.filter((type) => type === "log") : types;
  const byCodec = catalogue().codecs[side === "inputs" ? "encoding" : "decoding"][codec] ?? all;
  return types.filter((type) => byCodec.includes(type));
}
