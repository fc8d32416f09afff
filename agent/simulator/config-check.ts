import type { Kind } from "./catalogue.ts";
import { type Component, text } from "./config.ts";
import { inputTypesOf, outputId, outputsOf } from "./ports.ts";

export interface Compiled {
  /** The components with their wildcards expanded. */
  readonly components: readonly Component[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** A component as it is written: its inputs may hold wildcards. */
export type Draft = Component;

const title = (kind: Kind): string => kind.charAt(0).toUpperCase() + kind.slice(1);

/**
 * The checks of Vector's config compiler over the whole topology, in its order and words: names,
 * shape, ports claimed twice, inputs, data types, cycles. Pure.
 */
export function compile(
  drafts: readonly Draft[],
  allowEmpty: boolean,
  relaxedWildcards = false,
): Compiled {
  const order = { transform: 0, source: 1, sink: 2 } as const;
  const errors = drafts
    .filter(({ id }) => id.includes("."))
    .toSorted((a, b) => order[a.kind] - order[b.kind])
    .map(({ id }) => `Component name "${id}" should not contain a "."`);
  const components = expandWildcards(drafts, relaxedWildcards);
  errors.push(
    ...shapeErrors(components, allowEmpty),
    ...resourceErrors(components),
    ...outputErrors(components),
  );
  const inputs = inputErrors(components);
  if (inputs.length > 0) return { components, errors: [...errors, ...inputs], warnings: [] };
  errors.push(...typeErrors(components), ...cycleError(components));
  return { components, errors, warnings: errors.length > 0 ? [] : unconsumed(components) };
}

interface Output {
  readonly id: string;
  readonly component: Component;
  readonly types: readonly string[];
}

function allOutputs(components: readonly Component[]): readonly Output[] {
  return components.flatMap((component) =>
    outputsOf(component).map(({ port, types }) => ({
      id: outputId(component.id, port),
      component,
      types,
    })),
  );
}

/** `*`, `?` and `[…]`, as in the glob patterns of Vector; `*` also crosses dots. */
export function globToRegExp(pattern: string): RegExp {
  const source = pattern.replace(
    /\*+|\?|\[(!?)([^\]]+)\]|[.+^${}()|\]\\]/g,
    (part, not: string, set: string) => {
      if (part.startsWith("*")) return ".*";
      if (part === "?") return ".";
      if (part.startsWith("[") && set !== undefined)
        return `[${not === "!" ? "^" : ""}${set.replaceAll("\\", "\\\\")}]`;
      return `\\${part}`;
    },
  );
  return new RegExp(`^${source.replace(/\[(?![^\]]*\])/g, "\\[")}$`, "s");
}

const isGlob = (input: string): boolean => /[*?[]/.test(input);

function expandWildcards(drafts: readonly Draft[], relaxed: boolean): readonly Component[] {
  const ids = [...new Set(allOutputs(drafts).map(({ id }) => id))];
  return drafts.map((draft) => ({
    ...draft,
    inputs: draft.inputs.flatMap((input) => {
      if (!isGlob(input)) return [input];
      const matches = ids.filter((id) => id !== draft.id && globToRegExp(input).test(id));
      // Kept when nothing matches, so that the error can name it.
      return matches.length > 0 || relaxed ? matches : [input];
    }),
  }));
}

function shapeErrors(components: readonly Component[], allowEmpty: boolean): readonly string[] {
  const of = (kind: Kind): readonly Component[] =>
    components.filter((component) => component.kind === kind);
  const errors: string[] = [];
  if (!allowEmpty && of("source").length === 0) errors.push("No sources defined in the config.");
  if (!allowEmpty && of("sink").length === 0) errors.push("No sinks defined in the config.");
  const uses = Map.groupBy(components, ({ id }) => id);
  for (const [id, users] of uses) {
    if (users.length > 1) {
      errors.push(
        `More than one component with name "${id}" (${users.map(({ kind }) => kind).join(", ")}).`,
      );
    }
  }
  for (const { id, kind, inputs } of [...of("sink"), ...of("transform")]) {
    if (inputs.length === 0) errors.push(`${title(kind)} "${id}" has no inputs`);
    for (const [input, same] of Map.groupBy(inputs, (input) => input)) {
      if (same.length > 1)
        errors.push(`${title(kind)} "${id}" has input "${input}" duplicated ${same.length} times`);
    }
  }
  return errors;
}

const listeners = new Set(
  (
    "fluent heroku_logs http http_server logstash opentelemetry socket splunk_hec statsd syslog " +
    "vector aws_kinesis_firehose datadog_agent"
  ).split(" "),
);

/** The exclusive thing a component claims, in the words of Vector's error. */
export function resourceOf({ kind, type, options }: Component): string | undefined {
  if (kind === "source" && type === "stdin") return "file descriptor 0";
  if (kind === "sink" && type === "prometheus_exporter")
    return `tcp ${text(options, "address") ?? "0.0.0.0:9598"}`;
  const address = text(options, "address");
  if (kind !== "source" || !listeners.has(type) || address === undefined) return undefined;
  return `${text(options, "mode") === "udp" ? "udp" : "tcp"} ${address}`;
}

function resourceErrors(components: readonly Component[]): readonly string[] {
  const claims = Map.groupBy(components, resourceOf);
  return [...claims]
    .filter(([resource, claimants]) => resource !== undefined && claimants.length > 1)
    .map(([resource, claimants]) => {
      const keys = claimants
        .map(({ id }) => `ComponentKey { id: ${JSON.stringify(id)} }`)
        .toSorted();
      return `Resource \`${resource}\` is claimed by multiple components: {${keys.join(", ")}}`;
    });
}

function outputErrors(components: readonly Component[]): readonly string[] {
  return components.flatMap((component) => {
    if (component.kind !== "transform") return [];
    const ports = outputsOf(component).map(({ port }) => port);
    const reserved = (name: string): string =>
      `Transform ${component.id} cannot have a named output with reserved name: \`${name}\``;
    const unmatched =
      ports.filter((port) => port === "_unmatched").length > 1 ? [reserved("_unmatched")] : [];
    return ports.includes("_default") ? [...unmatched, reserved("_default")] : unmatched;
  });
}

const consumers = (components: readonly Component[]): readonly Component[] => [
  ...components.filter(({ kind }) => kind === "transform"),
  ...components.filter(({ kind }) => kind === "sink"),
];

function inputErrors(components: readonly Component[]): readonly string[] {
  const known = new Set(allOutputs(components).map(({ id }) => id));
  return consumers(components).flatMap(({ id, kind, inputs }) =>
    inputs
      .filter((input) => !known.has(input))
      .map((input) => `Input "${input}" for ${kind} "${id}" doesn't match any components.`),
  );
}

const typeNames = { log: "Log", metric: "Metric", trace: "Trace" } as const;

function typeErrors(components: readonly Component[]): readonly string[] {
  const outputs = new Map(allOutputs(components).map((output) => [output.id, output]));
  const show = (types: readonly string[]): string =>
    `([${types.map((type) => JSON.stringify(typeNames[type as keyof typeof typeNames])).join(", ")}])`;
  return consumers(components)
    .flatMap((component) => {
      const takes = inputTypesOf(component);
      return component.inputs.flatMap((input) => {
        const gives = outputs.get(input)?.types ?? [];
        if (gives.some((type) => takes.some((taken) => taken === type))) return [];
        return [
          `Data type mismatch between ${input} ${show(gives)} and ${component.id} ${show(takes)}`,
        ];
      });
    })
    .toSorted();
}

/** Walks upstream from each sink, as Vector does: a cycle that no sink reaches is not seen. */
function cycleError(components: readonly Component[]): readonly string[] {
  const upstream = new Map(
    components.map(({ id, inputs }) => [id, inputs.map((input) => ownerOf(input, components))]),
  );
  const visit = (id: string, path: readonly string[], done: Set<string>): string | undefined => {
    if (path.includes(id)) {
      const cycle = [...path.slice(path.indexOf(id)), id].toReversed();
      return `Cyclic dependency detected in the chain [ ${cycle.join(" -> ")} ]`;
    }
    if (done.has(id)) return undefined;
    for (const input of upstream.get(id) ?? []) {
      const found = visit(input, [...path, id], done);
      if (found !== undefined) return found;
    }
    done.add(id);
    return undefined;
  };
  for (const { id, kind } of components) {
    const found = kind === "sink" ? visit(id, [], new Set()) : undefined;
    if (found !== undefined) return [found];
  }
  return [];
}

/** The component that an output id belongs to; ids have no dots, so the first dot ends it. */
export function ownerOf(output: string, components: readonly Pick<Component, "id">[]): string {
  if (components.some(({ id }) => id === output)) return output;
  return output.split(".")[0] ?? output;
}

function unconsumed(components: readonly Component[]): readonly string[] {
  const used = new Set(components.flatMap(({ inputs }) => inputs));
  const outputs = allOutputs(components).filter(({ id }) => !used.has(id));
  return (["transform", "source"] as const).flatMap((kind) =>
    outputs
      .filter(({ component }) => component.kind === kind)
      .map(({ id }) => `${title(kind)} "${id}" has no consumers`),
  );
}
