import { createInterface } from "node:readline";
import { decoderOf } from "../codec.ts";
import type { BuildContext, Source } from "../component.ts";
import { text } from "../config.ts";
import type { SimEvent } from "../event.ts";

export function stdin({ component, origin, meter, hostname, log }: BuildContext): Source {
  const decode = decoderOf(component.options);
  const hostKey = text(component.options, "host_key") ?? "host";
  return {
    kind: "source",
    async run(send, signal) {
      log.info("vector::sources::file_descriptors", "Capturing STDIN.");
      const lines = createInterface({ input: process.stdin, signal });
      for await (const line of lines) {
        const common = { [hostKey]: hostname, source_type: "stdin", timestamp: new Date() };
        const events: readonly SimEvent[] = decode(line).map((fields) => ({
          kind: "log",
          fields: { ...fields, ...common },
          origin,
        }));
        meter.receivedBytes("none", Buffer.byteLength(line));
        meter.received(events);
        await send(events);
      }
      process.stdin.destroy();
    },
  };
}
