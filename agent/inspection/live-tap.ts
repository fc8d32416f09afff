import type { Clock } from "#common/clock.ts";
import type { ApiLease } from "../process/api-lease.ts";
import { prepareEvent, type PreparedEvent } from "./prepare-event.ts";
import type { Redactor } from "./redact.ts";
import { keepTapping, openTapStreams } from "./tap-stream.ts";
import type { TapTarget } from "./tap-target.ts";

export interface LiveTapOptions {
  readonly targets: readonly TapTarget[];
  readonly limitPerInterval: number;
  readonly intervalMs: number;
  readonly durationMs: number;
  readonly redactor: Redactor;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

export interface TappedEvent {
  readonly componentId: string;
  readonly event: PreparedEvent;
}

export interface LiveTapOutput {
  started(): void;
  /** Returns false when the way to the server is full: the events are counted as dropped. */
  events(events: readonly TappedEvent[], dropped: number): boolean;
}

const maxBytesPerInterval = 512 * 1024;
/** How long events that came together are gathered before they are sent. */
const gatherMs = 20;

/**
 * Streams events until the signal, the time limit or the end of the process. Bounded in events and bytes
 * per interval; what is left out is counted. Resolves to why it ended, in words.
 */
export async function runLiveTap(
  lease: ApiLease,
  options: LiveTapOptions,
  output: LiveTapOutput,
  signal: AbortSignal,
): Promise<string> {
  const { targets, limitPerInterval, intervalMs, durationMs, redactor } = options;
  using streams = openTapStreams(lease, options.env);
  const timeIsUp = AbortSignal.timeout(durationMs);
  const broken = new AbortController();
  const scope = AbortSignal.any([signal, timeIsUp, lease.ended, broken.signal]);
  const gathered = new Gathering(limitPerInterval, intervalMs, output);
  let waiting = targets.length;
  const ends = targets.map(async (target) => {
    let hasStarted = false;
    const reason = await keepTapping(
      streams,
      { target, limit: Math.max(1, Math.ceil(limitPerInterval / targets.length)), intervalMs },
      {
        onStarted: () => {
          if (hasStarted) return;
          hasStarted = true;
          waiting -= 1;
          if (waiting === 0) output.started();
        },
        onEvent: (event) => {
          if (gathered.hasRoom()) {
            gathered.add({ componentId: target.componentId, event: prepareEvent(event, redactor) });
          }
        },
      },
      options.clock,
      scope,
    );
    if (!scope.aborted) broken.abort(new Error(reason));
  });
  await Promise.all(ends);
  gathered.end();
  if (signal.aborted) return "stopped";
  if (lease.ended.aborted) return (lease.ended.reason as Error).message;
  if (timeIsUp.aborted) return `the time limit of ${Math.round(durationMs / 1000)} s was reached`;
  return (broken.signal.reason as Error).message;
}

/** Events on their way, within the bounds of an interval. */
class Gathering {
  readonly #limit: number;
  readonly #output: LiveTapOutput;
  readonly #interval: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #events: TappedEvent[] = [];
  #count = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(limit: number, intervalMs: number, output: LiveTapOutput) {
    this.#limit = limit;
    this.#output = output;
    this.#interval = setInterval(() => {
      this.#count = 0;
      this.#bytes = 0;
      if (this.#dropped > 0) this.#send();
    }, intervalMs);
  }

  /** Otherwise the event is counted as left out, without the work of preparing it. */
  hasRoom(): boolean {
    if (this.#count < this.#limit && this.#bytes < maxBytesPerInterval) return true;
    this.#dropped += 1;
    return false;
  }

  add(tapped: TappedEvent): void {
    this.#count += 1;
    this.#bytes += tapped.event.bytes;
    this.#events.push(tapped);
    this.#timer ??= setTimeout(() => this.#send(), gatherMs);
  }

  end(): void {
    clearInterval(this.#interval);
    this.#send();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#events;
    const dropped = this.#dropped;
    if (events.length === 0 && dropped === 0) return;
    this.#events = [];
    this.#dropped = 0;
    if (!this.#output.events(events, dropped)) this.#dropped = dropped + events.length;
  }
}
