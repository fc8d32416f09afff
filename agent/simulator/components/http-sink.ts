import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { deflate, gzip } from "node:zlib";
import { encoderOf } from "../codec.ts";
import { type BuildContext, BuildError, type Sink } from "../component.ts";
import { at, isRecord, number, text } from "../config.ts";
import { type SimEvent, sizeOf } from "../event.ts";

const compressors: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  none: (body) => Promise.resolve(body),
  gzip: promisify<Buffer, Buffer>(gzip),
  zlib: promisify<Buffer, Buffer>(deflate),
};

/** What came of one request. */
type Attempt =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly reason: string; readonly message: string }
  | { readonly kind: "refused"; readonly status: number };

/**
 * Batches, one request at a time, retried with a growing pause and by default without end. While a
 * request waits for its answer nothing more is taken, so the buffer fills and the pipeline waits.
 */
export function httpSink(context: BuildContext): Sink {
  const { component, meter, log } = context;
  const { options } = component;
  const uri = text(options, "uri") ?? "";
  if (!URL.canParse(uri)) throw new BuildError("invalid uri");
  const encoder = encoderOf(options, false);
  const compression = text(options, "compression") ?? "none";
  const compress = compressors[compression];
  if (compress === undefined)
    throw new BuildError(`vector-sim does not run the compression "${compression}"`);
  const maxBytes = number(options, "batch.max_bytes", 10_000_000);
  const maxEvents = number(options, "batch.max_events", Number.MAX_SAFE_INTEGER);
  const lingerMs = number(options, "batch.timeout_secs", 1) * 1000;
  const timeoutMs = number(options, "request.timeout_secs", 60) * 1000;
  const maxPauseMs = number(options, "request.retry_max_duration_secs", 30) * 1000;
  const firstPauseMs = number(options, "request.retry_initial_backoff_secs", 1) * 1000;
  const attempts = number(options, "request.retry_attempts", Number.MAX_SAFE_INTEGER);
  const headers = headersOf(options, encoder.contentType, compression);
  const method = (text(options, "method") ?? "post").toUpperCase();

  const attempt = async (body: Buffer): Promise<Attempt> => {
    try {
      const response = await fetch(uri, {
        method,
        headers,
        body: Uint8Array.from(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.arrayBuffer();
      if (response.ok) return { kind: "delivered" };
      if (response.status >= 500 || response.status === 429 || response.status === 408) {
        return { kind: "retry", message: "Retrying after response.", reason: `${response.status}` };
      }
      return { kind: "refused", status: response.status };
    } catch (error) {
      const cause =
        error instanceof Error && error.cause instanceof Error
          ? error.cause.message
          : String(error);
      return {
        kind: "retry",
        message: "Retrying after error.",
        reason: `Failed to make HTTP(S) request: ${cause}`,
      };
    }
  };

  const deliver = async (events: readonly SimEvent[]): Promise<void> => {
    const plain = Buffer.from(encoder.encode(events));
    const body = await compress(plain);
    let [pauseMs, nextMs] = [firstPauseMs, firstPauseMs];
    for (let tried = 0; ; tried += 1) {
      const result = await attempt(body);
      if (result.kind === "delivered") {
        meter.sent(events);
        meter.sentBytes("http", body.length);
        return;
      }
      if (result.kind === "refused" || tried >= attempts) {
        const reason =
          result.kind === "refused" ? `response status: ${result.status}` : result.reason;
        log.error("vector::sinks::util::retries", "Not retriable; dropping the request.", {
          reason,
        });
        meter.error("request_failed", "sending");
        meter.discarded(events.length, false);
        return;
      }
      log.warn("vector::sinks::util::retries", result.message, { error: result.reason });
      await delay(Math.random() * pauseMs);
      [pauseMs, nextMs] = [Math.min(nextMs, maxPauseMs), Math.min(pauseMs + nextMs, maxPauseMs)];
    }
  };

  return {
    kind: "sink",
    async healthcheck() {
      const probe = text(options, "healthcheck.uri");
      if (probe === undefined) return;
      const response = await fetch(probe, { method: "HEAD", signal: AbortSignal.timeout(10_000) });
      if (!response.ok) throw new Error(`Unexpected status: ${response.status}`);
    },
    async run(take) {
      // At most one take is waiting; what it brings belongs to the next batch.
      let pending = take(maxEvents);
      for (;;) {
        const first = await pending;
        if (first === undefined) return;
        const batch = [...first];
        let bytes = batch.reduce((sum, event) => sum + sizeOf(event), 0);
        pending = take(1000);
        const until = Date.now() + lingerMs;
        while (bytes < maxBytes && batch.length < maxEvents && Date.now() < until) {
          const more = await Promise.race([
            pending,
            delay(Math.max(1, until - Date.now()), "late" as const),
          ]);
          if (more === "late" || more === undefined) break;
          batch.push(...more);
          bytes += more.reduce((sum, event) => sum + sizeOf(event), 0);
          pending = take(1000);
        }
        for (let start = 0; start < batch.length; start += maxEvents)
          await deliver(batch.slice(start, start + maxEvents));
      }
    },
  };
}

function headersOf(
  options: BuildContext["component"]["options"],
  contentType: string,
  compression: string,
): Record<string, string> {
  const own = at(options, "request.headers");
  const headers: Record<string, string> = {
    "content-type": contentType,
    "user-agent": "Vector/0.58.0 (vector-sim)",
  };
  if (compression !== "none")
    headers["content-encoding"] = compression === "zlib" ? "deflate" : compression;
  for (const [name, value] of Object.entries(isRecord(own) ? own : {}))
    headers[name.toLowerCase()] = String(value);
  const token = text(options, "auth.token");
  const user = text(options, "auth.user");
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  if (user !== undefined)
    headers["authorization"] = `Basic ${btoa(`${user}:${text(options, "auth.password") ?? ""}`)}`;
  return headers;
}
