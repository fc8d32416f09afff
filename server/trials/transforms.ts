import { vrlFields, vrlObject, type VrlFields, type VrlValue } from "#vrl/values.ts";
import type { Vrl, VrlCompileOptions, VrlFailure, VrlOutcome } from "#vrl/vrl.ts";
import { isRecord, type GraphComponent } from "../configuration/graph.ts";
import type { TrialEvent } from "./events.ts";

/** What a transform did with one event. */
export interface Step {
  readonly input: TrialEvent;
  /** By output; null is the default one. */
  readonly outputs: ReadonlyMap<string | null, readonly TrialEvent[]>;
  /** Why a program or condition failed on the event; empty when none did. */
  readonly error: string;
  /** A program failed on the event or gave it up, so that it is dropped, or goes where dropped events go. */
  readonly dropped: boolean;
}

/** A transform that only Vector itself can run, and why. */
export class OnlyInVector extends Error {
  override readonly name = "OnlyInVector";
}

export interface RunOptions {
  readonly vrl: Vrl;
  /** What Vector takes the events for when it compiles a remap transform. */
  readonly kinds: VrlCompileOptions;
  /** Of times that name none, unless a transform has one of its own. */
  readonly timezone: string;
}

/** Functions whose answers need the host, its files or its network; see `vrl/README.md`. */
const notHere =
  /\b(get_hostname|get_env_var|dns_lookup|reverse_dns|http_request|log|parse_groks?|validate_json_schema|parse_proto|encode_proto|parse_dnstap|get_enrichment_table_record|find_enrichment_table_records|find_vector_metrics|get_vector_metric|aggregate_vector_metrics)!?\(/;

/** Runs a transform over log events as Vector does. Throws `OnlyInVector` when that is not possible here. */
export function runTransform(
  component: GraphComponent,
  events: readonly TrialEvent[],
  options: RunOptions,
): readonly Step[] {
  switch (component.type) {
    case "remap":
      return remap(component, events, options);
    case "filter": {
      const condition = conditionOf(component.config["condition"], options.vrl);
      return routed(events, (event) => {
        const passes = condition(event);
        return { ports: passes === true ? [null] : [], error: passes };
      });
    }
    case "route": {
      const { route } = component.config;
      const routes = Object.entries(isRecord(route) ? route : {}).map(
        ([name, condition]) => [name, conditionOf(condition, options.vrl)] as const,
      );
      const unmatched = component.config["reroute_unmatched"] === false ? [] : ["_unmatched"];
      return routed(events, (event) => {
        const verdicts = routes.map(([name, condition]) => [name, condition(event)] as const);
        const ports = verdicts.flatMap(([name, verdict]) => (verdict === true ? [name] : []));
        const error = verdicts.map(([, verdict]) => verdict).find(isText) ?? false;
        return { ports: ports.length > 0 ? ports : unmatched, error };
      });
    }
    case "exclusive_route": {
      const { routes } = component.config;
      const list = (Array.isArray(routes) ? routes : [])
        .filter(isRecord)
        .map(({ name, condition }) => [asText(name), conditionOf(condition, options.vrl)] as const);
      return routed(events, (event) => {
        let error: Verdict = false;
        for (const [name, condition] of list) {
          const verdict = condition(event);
          if (verdict === true) return { ports: [name], error };
          if (isText(verdict)) error = verdict;
        }
        return { ports: ["_unmatched"], error };
      });
    }
    default:
      throw new OnlyInVector(`transforms of type ${component.type} run only in Vector`);
  }
}

/** What people wrote where a text is meant. */
export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value ?? null, (_key, item: unknown) =>
    typeof item === "bigint" ? Number(item) : item,
  );
}

/** Whether a condition holds, or the error that makes it false. */
type Verdict = boolean | string;

const isText = (verdict: Verdict): verdict is string => typeof verdict === "string";

function routed(
  events: readonly TrialEvent[],
  decide: (event: TrialEvent) => { readonly ports: readonly (string | null)[]; error: Verdict },
): readonly Step[] {
  return events.map((input) => {
    const { ports, error } = decide(input);
    return {
      input,
      outputs: new Map(ports.map((port) => [port, [input]])),
      error: isText(error) ? error : "",
      dropped: false,
    };
  });
}

/** A condition, of whatever form, over log events. Throws `OnlyInVector`. */
export function conditionOf(condition: unknown, vrl: Vrl): (event: TrialEvent) => Verdict {
  const type = isRecord(condition) ? (condition["type"] ?? "vrl") : "vrl";
  if (type === "is_log") return () => true;
  if (type === "is_metric" || type === "is_trace") return () => false;
  const source = isRecord(condition) ? condition["source"] : condition;
  if (type !== "vrl" || typeof source !== "string") {
    throw new OnlyInVector(`conditions of type ${asText(type)} run only in Vector`);
  }
  return (event) => {
    const [outcome] = run(source, [event], { vrl, compile: { condition: true } });
    if (outcome?.kind !== "done") return `source execution ${failure(outcome)}`;
    return outcome.result === true;
  };
}

function failure(outcome: VrlFailure | undefined): string {
  if (outcome === undefined || outcome.kind === "error") return `failed: ${outcome?.message ?? ""}`;
  return "aborted";
}

/** Runs a program over events. Throws `OnlyInVector`, and an Error with the report when it does not compile. */
export function run(
  source: string,
  events: readonly TrialEvent[],
  options: {
    readonly vrl: Vrl;
    readonly compile: VrlCompileOptions;
    readonly timezone?: string;
  },
): readonly VrlOutcome[] {
  const needed = notHere.exec(source)?.[1];
  if (needed !== undefined) throw new OnlyInVector(`${needed} needs the host of the pipeline`);
  if (/(?:SECRET|CERT|VAR)\[/.test(`${source}\n${options.timezone ?? ""}`)) {
    throw new OnlyInVector("the program or its time zone has values that only hosts get");
  }
  const { vrl, ...how } = options;
  const ran = vrl.run(source, {
    events: events.map(({ value, metadata, secrets }) => ({ value, metadata, secrets })),
    ...how,
  });
  if ("error" in ran) throw new Error(ran.error);
  return ran.outcomes;
}

function remap(
  { config, key }: GraphComponent,
  events: readonly TrialEvent[],
  { vrl, kinds, timezone }: RunOptions,
): readonly Step[] {
  if (typeof config["source"] !== "string") {
    throw new OnlyInVector("programs in files are only on hosts");
  }
  const drops = {
    error: config["drop_on_error"] === true,
    abort: config["drop_on_abort"] !== false,
  };
  const outcomes = run(config["source"], events, {
    vrl,
    compile: kinds,
    timezone: typeof config["timezone"] === "string" ? config["timezone"] : timezone,
  });
  return events.map((input, index): Step => {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error("a program gave too few answers");
    if (outcome.kind === "done") {
      const outputs = new Map([[null, eventsFrom(outcome, input)]]);
      return { input, outputs, error: "", dropped: false };
    }
    const error = outcome.kind === "error" ? outcome.message : "";
    if (!drops[outcome.kind]) {
      return { input, outputs: new Map([[null, [input]]]), error, dropped: false };
    }
    const outputs: Step["outputs"] =
      config["reroute_dropped"] === true
        ? new Map([["dropped", [annotated(input, key, outcome)]]])
        : new Map();
    return { input, outputs, error, dropped: true };
  });
}

/** Whether an event has Vector's own log namespace: its metadata tells. */
function isNamespaced({ metadata }: TrialEvent): boolean {
  return Object.hasOwn(vrlFields(metadata) ?? {}, "vector");
}

/** The items of an array become events, and what is no object a message, unless the namespace knows no messages. */
function eventsFrom(
  { value, metadata, secrets }: Extract<VrlOutcome, { kind: "done" }>,
  input: TrialEvent,
): readonly TrialEvent[] {
  const items: readonly VrlValue[] = Array.isArray(value) ? value : [value];
  return items.map((item) => ({
    value: vrlFields(item) !== undefined || isNamespaced(input) ? item : { message: item },
    metadata,
    secrets,
    origin: input.origin,
  }));
}

/** The event as it was, with the reason where Vector adds it. */
function annotated(
  event: TrialEvent,
  componentKey: string,
  { kind, reason }: VrlFailure,
): TrialEvent {
  const dropped = {
    reason: kind,
    message: reason,
    component_id: componentKey,
    component_type: "remap",
    component_kind: "transform",
  };
  return isNamespaced(event)
    ? { ...event, metadata: withBelow(event.metadata, "vector", { dropped }) }
    : { ...event, value: withBelow(event.value, "metadata", { dropped }) };
}

/** With fields in an object that is a field of it; what is no object gives way to one. */
function withBelow(value: VrlValue, name: string, added: VrlFields): VrlValue {
  const fields = vrlFields(value) ?? {};
  return vrlObject({
    ...fields,
    [name]: vrlObject({ ...vrlFields(fields[name] ?? null), ...added }),
  });
}
