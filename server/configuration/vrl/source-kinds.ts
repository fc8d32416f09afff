import type { VrlKind } from "#vrl/vrl.ts";
import { anyObject, objectOf, orAbsent, text } from "./kinds.ts";
import { isRecord, type GraphComponent, type PipelineGraph } from "../graph.ts";

const timestamp: VrlKind = { types: ["timestamp"] };
const integer: VrlKind = { types: ["integer"] };
const maybe = { text: orAbsent(text), integer: orAbsent(integer) };

/** What sources add to the text that they read, by Vector's own definitions. Others are not known. */
const additions: Readonly<Record<string, Readonly<Record<string, VrlKind>>>> = {
  demo_logs: { service: text },
  exec: { host: maybe.text, pid: maybe.integer },
  file: { file: text, host: maybe.text },
  http: { path: text },
  http_server: { path: text },
  internal_logs: { host: maybe.text, pid: integer },
  socket: { host: text, port: integer },
  stdin: { host: text },
};

/** Options that give a field another name. */
const renames = /_key$/;

/** What the logs of a source are, by the source's own account; anything more may be in them. */
export function sourceKind(component: GraphComponent, graph: PipelineGraph): VrlKind {
  const { config, type } = component;
  const own = additions[type];
  const schema = graph.globalConfig["schema"];
  const namespaced =
    config["log_namespace"] ?? (isRecord(schema) ? schema["log_namespace"] : undefined);
  if (
    own === undefined ||
    namespaced === true ||
    graph.globalConfig["log_schema"] !== undefined ||
    Object.keys(config).some((name) => renames.test(name))
  ) {
    return anyObject;
  }
  const { decoding } = config;
  const codec = isRecord(decoding) ? decoding["codec"] : undefined;
  // What other codecs find in the text can have any of these names.
  if (codec !== undefined && codec !== "bytes") return anyObject;
  return objectOf({ message: text, timestamp, source_type: text, ...own });
}

/** Metrics as programs see them. */
export const metricKind: VrlKind = objectOf({
  name: text,
  namespace: orAbsent(text),
  timestamp: orAbsent(timestamp),
  kind: text,
  tags: orAbsent(objectOf({})),
});

/** What Vector writes into an event that a program has dropped. */
export const droppedKind: VrlKind = objectOf({
  dropped: objectOf({
    component_id: text,
    component_kind: text,
    component_type: text,
    message: maybe.text,
    reason: text,
  }),
});
