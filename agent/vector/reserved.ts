/** Ids that begin with this belong to the agent. No person's component has one. */
export const reservedPrefix = "__vectorflow_";

export function isReserved(componentId: string): boolean {
  return componentId.startsWith(reservedPrefix);
}

/** The metrics that the injected page carries, without the namespace `vector`. */
export const keptMetrics = [
  "component_received_events_total",
  "component_received_bytes_total",
  "component_received_event_bytes_total",
  "component_sent_events_total",
  "component_sent_bytes_total",
  "component_sent_event_bytes_total",
  "component_discarded_events_total",
  "component_errors_total",
  "component_latency_mean_seconds",
  "utilization",
] as const;
