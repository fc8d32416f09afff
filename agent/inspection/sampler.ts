import type { Clock } from "#common/clock.ts";
import type { ApiLease } from "../process/api-lease.ts";
import { SchemaInference, type FieldFacts } from "./event-schema.ts";
import { prepareEvent, type PreparedEvent } from "./prepare-event.ts";
import type { Redactor } from "./redact.ts";
import { keepTapping, openTapStreams } from "./tap-stream.ts";
import type { TapTarget } from "./tap-target.ts";

export interface SampleOptions {
  readonly targets: readonly TapTarget[];
  /** Events of each component. */
  readonly limit: number;
  readonly timeLimitMs: number;
  readonly redactor: Redactor;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/** What was sampled of one component. */
export interface ComponentSample {
  readonly componentId: string;
  readonly events: readonly PreparedEvent[];
  readonly fields: readonly FieldFacts[];
  readonly complete: boolean;
  /** Why events are missing; empty when none are. */
  readonly error: string;
}

const intervalMs = 100;
/** Of one sample as JSON, all components together. */
const maxTotalBytes = 8 * 1024 * 1024;

/**
 * Collects events until each component has given enough, or the time is over: then what came is a
 * partial result and says so.
 */
export async function sampleEvents(
  lease: ApiLease,
  options: SampleOptions,
  signal: AbortSignal,
): Promise<readonly ComponentSample[]> {
  const { targets, limit, timeLimitMs, redactor } = options;
  using streams = openTapStreams(lease, options.env);
  const timeIsUp = AbortSignal.timeout(timeLimitMs);
  let bytes = 0;
  return await Promise.all(
    targets.map(async (target): Promise<ComponentSample> => {
      const done = new AbortController();
      const events: PreparedEvent[] = [];
      const schema = new SchemaInference();
      let tooLarge = false;
      const ended = await keepTapping(
        streams,
        { target, limit, intervalMs },
        {
          onStarted: () => {},
          onEvent: (event) => {
            if (events.length === limit || tooLarge) return;
            const prepared = prepareEvent(event, redactor);
            if (bytes + prepared.bytes > maxTotalBytes) {
              tooLarge = true;
              done.abort();
              return;
            }
            bytes += prepared.bytes;
            events.push(prepared);
            schema.add(prepared.clean);
            if (events.length === limit) done.abort();
          },
        },
        options.clock,
        AbortSignal.any([done.signal, timeIsUp, lease.ended, signal]),
      );
      const complete = events.length === limit;
      const error = complete
        ? ""
        : tooLarge
          ? `the sample is larger than ${maxTotalBytes / 1024 / 1024} MiB: ask for fewer events`
          : lease.ended.aborted
            ? (lease.ended.reason as Error).message
            : timeIsUp.aborted
              ? timeOver(events.length, limit, timeLimitMs)
              : ended;
      return {
        componentId: target.componentId,
        events,
        fields: schema.fields(),
        complete,
        error,
      };
    }),
  );
}

function timeOver(count: number, limit: number, timeLimitMs: number): string {
  const seconds = Math.round(timeLimitMs / 100) / 10;
  return count === 0
    ? `no event came within ${seconds} s`
    : `${count} of ${limit} events came within ${seconds} s`;
}
