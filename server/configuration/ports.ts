import type { Catalogue, ComponentFacts, DataType } from "./catalogue.ts";
import { isRecord, type GraphComponent } from "./graph.ts";

/** An output that can be named in `inputs`. The name null is the default output. */
export interface Port {
  readonly name: string | null;
  readonly types: readonly DataType[];
}

export const everything: readonly DataType[] = ["log", "metric", "trace"];

/** What another component writes into `inputs` to read this output. */
export function outputId(key: string, port: string | null): string {
  return port === null ? key : `${key}.${port}`;
}

/** The outputs of a component, with what they emit by its own account: transforms may emit less. */
export function outputsOf(component: GraphComponent, catalogue: Catalogue): readonly Port[] {
  if (component.kind === "sink") return [];
  const facts = catalogue.component(component.kind, component.type);
  const { config } = component;
  const types = facts === undefined ? everything : outputTypes(component, facts, catalogue);
  switch (component.type) {
    case "route": {
      const routes = isRecord(config["route"]) ? Object.keys(config["route"]) : [];
      const unmatched = config["reroute_unmatched"] === false ? [] : ["_unmatched"];
      return [...routes, ...unmatched].map((name) => ({ name, types }));
    }
    case "exclusive_route": {
      const routes = Array.isArray(config["routes"]) ? config["routes"] : [];
      const names = routes.flatMap((route: unknown) =>
        isRecord(route) && typeof route["name"] === "string" ? [route["name"]] : [],
      );
      return [...names, "_unmatched"].map((name) => ({ name, types }));
    }
    case "remap":
      return config["reroute_dropped"] === true
        ? [
            { name: null, types },
            { name: "dropped", types },
          ]
        : [{ name: null, types }];
    case "datadog_agent":
      if (config["multiple_outputs"] !== true) return [{ name: null, types }];
      return (["logs", "metrics", "traces"] as const)
        .filter((name) => config[`disable_${name}`] !== true)
        .map((name) => ({ name, types: [name.slice(0, -1) as DataType] }));
    case "opentelemetry":
      return (["logs", "metrics", "traces"] as const).map((name) => ({
        name,
        types:
          name === "metrics" && decodesOtlp(config["use_otlp_decoding"], name)
            ? ["log"]
            : [name.slice(0, -1) as DataType],
      }));
    default:
      return [{ name: null, types }];
  }
}

/** Metrics that are left in their protocol's own shape come out as logs. */
function decodesOtlp(option: unknown, signal: string): boolean {
  return option === true || (isRecord(option) && option[signal] === true);
}

function outputTypes(
  component: GraphComponent,
  facts: ComponentFacts,
  catalogue: Catalogue,
): readonly DataType[] {
  if (facts.outputs_by === undefined) return facts.outputs ?? everything;
  const decoded = new Set(
    facts.outputs_by.split(", ").flatMap((path) => {
      const codec = readPath(component.config, path);
      const name = typeof codec === "string" ? codec : "bytes";
      return catalogue.codecs.decoding[name] ?? facts.outputs ?? everything;
    }),
  );
  return everything.filter((type) => decoded.has(type));
}

/** What a component accepts. */
export function inputTypes(component: GraphComponent, catalogue: Catalogue): readonly DataType[] {
  const facts = catalogue.component(component.kind, component.type);
  const accepted = facts?.inputs ?? everything;
  if (facts?.inputs_by === undefined) return accepted;
  const codec = readPath(component.config, facts.inputs_by.split(", ", 1)[0] ?? "");
  const encoded = catalogue.codecs.encoding[typeof codec === "string" ? codec : ""] ?? everything;
  return accepted.filter((type) => encoded.includes(type));
}

function readPath(value: unknown, path: string): unknown {
  return path.split(".").reduce((at, step) => (isRecord(at) ? at[step] : undefined), value);
}

/** Whether a text of `inputs` is a pattern over output ids. */
export function isWildcard(input: string): boolean {
  return /[*?[\]]/.test(input);
}

/** A pattern over output ids as Vector reads it: `*` crosses dots. */
export function wildcardMatcher(pattern: string): (id: string) => boolean {
  const source = pattern.replace(/\*+|\?|\[!?[^\]]+\]|[.+^${}()|\\/[\]]/g, (part) => {
    if (part.startsWith("*")) return ".*";
    if (part === "?") return ".";
    if (part.length > 1) return part.replace("[!", "[^").replaceAll("\\", "\\\\");
    return `\\${part}`;
  });
  const expression = new RegExp(`^${source}$`, "s");
  return (id) => expression.test(id);
}

/** What tables in memory emit as sources, by the names that `inputs` has for them. */
export function tableOutputs(
  globalConfig: Readonly<Record<string, unknown>>,
): readonly { readonly key: string; readonly ports: readonly Port[] }[] {
  const tables = globalConfig["enrichment_tables"];
  return Object.values(isRecord(tables) ? tables : {}).flatMap((table) => {
    const source = isRecord(table) ? table["source_config"] : undefined;
    if (!isRecord(source) || typeof source["source_key"] !== "string") return [];
    const expired: Port[] =
      source["export_expired_items"] === true ? [{ name: "expired", types: ["log"] }] : [];
    return [{ key: source["source_key"], ports: [{ name: null, types: ["log"] }, ...expired] }];
  });
}

/** The outputs that tables read: a table in memory takes events as a sink does. */
export function tableInputs(globalConfig: Readonly<Record<string, unknown>>): readonly string[] {
  const tables = globalConfig["enrichment_tables"];
  return Object.values(isRecord(tables) ? tables : {}).flatMap((table) => {
    const inputs = isRecord(table) ? table["inputs"] : undefined;
    return (Array.isArray(inputs) ? inputs : [inputs]).filter((input) => typeof input === "string");
  });
}
