import { setTimeout as delay } from "node:timers/promises";
import type { BuildContext, Source } from "../component.ts";
import { number, text } from "../config.ts";
import { sizeOfAll, type SimEvent } from "../event.ts";

/** Emits every counter and gauge of the process, each interval. */
export function internalMetrics({
  component,
  origin,
  meter,
  registry,
  hostname,
}: BuildContext): Source {
  const { options } = component;
  const intervalMs = number(options, "scrape_interval_secs", 1) * 1000;
  const namespace = text(options, "namespace") ?? "vector";
  const hostKey = text(options, "tags.host_key") ?? "host";
  const pidKey = text(options, "tags.pid_key");
  const common = {
    [hostKey]: hostname,
    ...(pidKey === undefined ? {} : { [pidKey]: String(process.pid) }),
  };
  return {
    kind: "source",
    async run(send, signal) {
      while (!signal.aborted) {
        const timestamp = new Date();
        const events: readonly SimEvent[] = registry
          .snapshot()
          .map(({ name, type, tags, value }) => ({
            kind: "metric",
            name,
            namespace,
            tags: { ...tags, ...common },
            timestamp,
            type,
            value,
            origin,
          }));
        meter.receivedBytes("internal", sizeOfAll(events));
        meter.received(events);
        await send(events);
        // An abort ends the pause and with it the loop.
        await delay(intervalMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}
