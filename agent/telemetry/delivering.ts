import type { ComponentDelta } from "../vector/counters.ts";

/** How many checks in a row were bad or good, and what is said of the pipeline now. */
export interface Delivery {
  readonly delivering: boolean;
  readonly bad: number;
  readonly good: number;
}

export const assumedDelivering: Delivery = { delivering: true, bad: 0, good: 0 };

const checksToChange = 3;

/** Components that gather for minutes before they pass anything on: their silence alone says nothing. */
const gathering = new Set([
  "aws_s3",
  "azure_blob",
  "gcp_cloud_storage",
  "gcp_chronicle_unstructured",
  "aggregate",
  "reduce",
  "window",
]);

/** `unknown` when nothing arrived: silence is neither a fault nor a recovery. */
export type Check = "good" | "bad" | "unknown";

/** What the counters of one interval say: do the sources receive and the sinks send? */
export function checkDelivery(components: readonly ComponentDelta[]): Check {
  const sources = components.filter((component) => component.kind === "source");
  const sinks = components.filter((component) => component.kind === "sink");
  if (sinks.some((sink) => sink.sentEvents > 0)) return "good";
  if (!sources.some((source) => source.receivedEvents > 0 || source.sentEvents > 0)) {
    return "unknown";
  }
  if (components.some(({ type, receivedEvents }) => receivedEvents > 0 && gathering.has(type))) {
    return "unknown";
  }
  const failing = components.some(
    (component) => component.errors > 0 || component.discardedUnintentional > 0,
  );
  if (failing || sinks.some((sink) => sink.receivedEvents > 0)) return "bad";
  // Nothing reached a sink. A filter that dropped everything on purpose is no fault.
  return components.some((component) => component.discardedIntentional > 0) ? "unknown" : "bad";
}

/** Takes one more check into account: three bad ones enter the state, three good ones leave it. */
export function afterCheck(delivery: Delivery, check: Check): Delivery {
  switch (check) {
    case "unknown":
      return delivery;
    case "bad": {
      const bad = delivery.bad + 1;
      return { delivering: delivery.delivering && bad < checksToChange, bad, good: 0 };
    }
    case "good": {
      const good = delivery.good + 1;
      return { delivering: delivery.delivering || good >= checksToChange, bad: 0, good };
    }
  }
}
