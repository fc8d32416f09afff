import type { BuildContext, Sink } from "../component.ts";
import { sizeOfAll } from "../event.ts";

export function blackhole({ meter }: BuildContext): Sink {
  return {
    kind: "sink",
    healthcheck: () => Promise.resolve(),
    async run(take) {
      for (let events = await take(1000); events !== undefined; events = await take(1000)) {
        meter.sent(events);
        meter.sentBytes("blackhole", sizeOfAll(events));
      }
    },
  };
}
