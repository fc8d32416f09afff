import { write } from "node:fs";
import { promisify } from "node:util";
import { encoderOf } from "../codec.ts";
import type { BuildContext, Sink } from "../component.ts";
import { text } from "../config.ts";

const writeOnce = promisify(write);

/** Writes all of it. On another thread: a reader who is slow stops this sink and nothing else. */
async function writeAll(fd: number, output: string): Promise<void> {
  let rest = Buffer.from(output);
  while (rest.length > 0) {
    const written = (await writeOnce(fd, rest)) as unknown as { readonly bytesWritten: number };
    rest = rest.subarray(written.bytesWritten);
  }
}

export function consoleSink({ component, meter }: BuildContext): Sink {
  const encoder = encoderOf(component.options, true);
  const fd = text(component.options, "target") === "stderr" ? 2 : 1;
  return {
    kind: "sink",
    healthcheck: () => Promise.resolve(),
    async run(take) {
      for (let events = await take(100); events !== undefined; events = await take(100)) {
        const output = encoder.encode(events);
        await writeAll(fd, output);
        meter.sent(events);
        meter.sentBytes("console", Buffer.byteLength(output));
      }
    },
  };
}
