import { type BuildDeps, buildPieces, type Piece } from "./build.ts";
import type { Send, Take, Transform } from "./component.ts";
import { type Component, type Config, number, text } from "./config.ts";
import { ownerOf } from "./config-check.ts";
import { blocksNew, type ConfigDiff, keepsBuffer } from "./config-diff.ts";
import { EventQueue } from "./event-queue.ts";
import { Fanout, TapHub } from "./fanout.ts";
import type { Faults } from "./faults.ts";
import { Utilization } from "./metrics.ts";
import { outputId, outputsOf } from "./ports.ts";

export interface TopologyDeps extends Omit<BuildDeps, "faults"> {
  /** Those of the config that was loaded last. */
  faults: Faults;
  /** A component ended with an error: the process is to stop. */
  crashed(): void;
  /** A source ended by itself. */
  sourceEnded(): void;
}

/** A running component, and what it owns. */
interface Running extends Piece {
  readonly outputs: ReadonlyMap<string | undefined, Fanout>;
  readonly queue: EventQueue | undefined;
  /** Ends a source, or the reading of a sink (its queue goes to the next instance). */
  readonly stop: AbortController;
  /** Settles when the task ended; never rejects. */
  readonly done: Promise<void>;
}

const transformCapacity = 1000;
const transformBatch = 100;
const sourceStopMs = 30_000;

/**
 * The running components. Invariants: (1) each consumer's queue is attached to the outputs that its
 * inputs name, except while it is being replaced, when those outputs wait; (2) a component is in
 * `#running` from its spawn until a reload takes it out; (3) a queue outlives its sink only when the
 * next instance of that sink takes it over.
 */
export class Topology {
  readonly taps = new TapHub();
  readonly #deps: TopologyDeps;
  readonly #running = new Map<string, Running>();
  readonly #queues = new Map<string, EventQueue>();
  readonly #ended = new WeakSet<Piece>();
  config: Config;
  /** Sources take events in and pass none on. */
  isStalled = false;

  constructor(config: Config, deps: TopologyDeps) {
    this.config = config;
    this.#deps = deps;
  }

  get components(): readonly Component[] {
    return [...this.#running.values()].map(({ component }) => component);
  }

  get sourcesFinished(): boolean {
    const sources = [...this.#running.values()].filter(({ built }) => built.kind === "source");
    return sources.length > 0 && sources.every((source) => this.#ended.has(source));
  }

  /** The ids of the components that have not ended. */
  get unfinished(): readonly string[] {
    return [...this.#running.values()]
      .filter((running) => !this.#ended.has(running))
      .map(({ component }) => component.id);
  }

  build(components: readonly Component[], dataDir: string): ReturnType<typeof buildPieces> {
    return buildPieces(components, dataDir, this.#deps);
  }

  /** A component died. */
  crash(): void {
    const message =
      "An error occurred that Vector couldn't handle: the task completed with an error.";
    this.#deps.log.error("vector::topology", message);
    this.#deps.crashed();
  }

  /** Starts the pieces and connects every consumer's queue to the outputs that its inputs name. */
  spawn(pieces: readonly Piece[]): void {
    for (const piece of pieces) this.#running.set(piece.component.id, this.#start(piece));
    const { components } = this;
    for (const { component, queue } of this.#running.values()) {
      for (const input of queue === undefined ? [] : component.inputs) {
        const owner = this.#running.get(ownerOf(input, components));
        const fanout = [...(owner?.outputs.values() ?? [])].find(({ id }) => id === input);
        if (queue !== undefined) fanout?.attach(component.id, queue);
      }
    }
    this.taps.changed();
  }

  #start(piece: Piece): Running {
    const { component, built, meter } = piece;
    const ports = outputsOf(component).map(({ port }) => port);
    const outputs = new Map(
      ports.map((port) => [
        port,
        new Fanout(outputId(component.id, port), component.id, this.taps),
      ]),
    );
    // Vector registers these counters when it builds a component.
    meter.received([]);
    for (const port of ports) meter.sent([], port ?? "_default");
    const send: Send = async (events, port) => {
      if (events.length === 0) return;
      if (this.isStalled && component.kind === "source" && !isOwnTelemetry(component)) return;
      await outputs.get(port)?.send(events);
      meter.sent(events, port ?? "_default");
    };
    const stop = new AbortController();
    const queue = built.kind === "source" ? undefined : this.#queueOf(piece);
    const run = async (): Promise<void> => {
      // The task starts when everything is connected: the spawning does not wait in between.
      await Promise.resolve();
      try {
        if (built.kind === "source") await built.run(send, stop.signal);
        else if (queue !== undefined) {
          const take = this.#reader(piece, queue, stop.signal);
          await (built.kind === "sink" ? built.run(take) : runTransform(built, take, send));
        }
      } catch {
        this.crash();
      }
      if (this.#stopping && this.#deps.faults.neverDrain) await new Promise(() => {});
      this.#ended.add(running);
      if (built.kind === "source" && !stop.signal.aborted) this.#deps.sourceEnded();
    };
    const running: Running = { ...piece, outputs, queue, stop, done: run() };
    return running;
  }

  #stopping = false;

  #queueOf({ component, built, meter }: Piece): EventQueue {
    const { id, options } = component;
    const kept = this.#queues.get(id);
    if (kept !== undefined) return kept;
    if (built.kind !== "sink") return new EventQueue(transformCapacity);
    const capacity = number(options, "buffer.max_events", 500);
    const queue = new EventQueue(capacity, {
      accepted: (events) => meter.buffered("received", events),
      ...(text(options, "buffer.when_full") === "drop_newest"
        ? {
            dropped: (events) => {
              meter.buffered("discarded", events);
              meter.discarded(events.length, true);
            },
          }
        : {}),
    });
    this.#queues.set(id, queue);
    const tags = { buffer_id: id, buffer_type: "memory", stage: "0" };
    meter.gauge("buffer_size_events", () => queue.length, tags);
    meter.gauge("buffer_size_bytes", () => queue.bytes, tags);
    meter.gauge("buffer_max_size_events", () => capacity, tags);
    meter.buffered("received", []);
    meter.buffered("sent", []);
    return queue;
  }

  #reader({ built, meter }: Piece, queue: EventQueue, signal: AbortSignal): Take {
    const utilization = new Utilization();
    meter.gauge("utilization", () => utilization.read());
    return async (max) => {
      utilization.waits();
      const events = await queue.take(max, signal);
      utilization.works();
      if (events === undefined) return undefined;
      if (built.kind === "sink") meter.buffered("sent", events);
      meter.received(events);
      return events;
    };
  }

  /** Stops what the diff removes or changes; waits as Vector does, without limit for some sinks. */
  async shutdownDiff({ removed, changed, built }: ConfigDiff): Promise<void> {
    const leaving = [...removed, ...changed];
    const of = (kind: Component["kind"]): Running[] =>
      leaving
        .filter((component) => component.kind === kind)
        .flatMap(({ id }) => this.#running.get(id) ?? []);
    const sources = of("source");
    for (const { stop } of sources) stop.abort();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, sourceStopMs);
    await Promise.race([Promise.all(sources.map(({ done }) => done)), late.promise]);
    clearTimeout(timer);
    for (const running of [...of("transform"), ...of("sink")]) {
      await this.#release(running, changed.includes(running.component), built);
    }
    for (const { id } of leaving) this.#running.delete(id);
    for (const { id } of removed) this.#deps.registry.retire(id);
  }

  /** Takes a consumer off its inputs. What is still in its queue is worked off, or handed over. */
  async #release(
    { component, queue, stop, done }: Running,
    isChanged: boolean,
    built: readonly Component[],
  ): Promise<void> {
    const { id, kind } = component;
    const next = isChanged ? built.find((other) => other.id === id) : undefined;
    for (const { outputs } of this.#running.values()) {
      for (const fanout of outputs.values()) {
        if (next?.inputs.includes(fanout.id) === true && fanout.has(id)) fanout.pause(id);
        else fanout.detach(id);
      }
    }
    if (kind === "sink" && keepsBuffer(component, next)) {
      // Without limit: what is in flight must end first. This is where a reload can get stuck.
      stop.abort();
      await done;
      return;
    }
    queue?.close();
    this.#queues.delete(id);
    if (kind === "sink" && blocksNew(component, built)) await done;
  }

  /** Stops the sources and lets everything drain, upstream first. Resolves when all has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const all = [...this.#running.values()];
    const { components } = this;
    const sources = all.filter(({ built }) => built.kind === "source");
    // Vector stops its internal sources last, so that they see the others end.
    for (const group of [false, true]) {
      const some = sources.filter(({ component }) => isOwnTelemetry(component) === group);
      for (const { stop } of some) stop.abort();
      await Promise.all(some.map(({ done }) => done));
    }
    for (let left = all.filter(({ built }) => built.kind !== "source"); left.length > 0;) {
      const open = new Set(left.map(({ component }) => component.id));
      const ready = left.filter(({ component }) =>
        component.inputs.every((input) => !open.has(ownerOf(input, components))),
      );
      for (const { queue } of ready) queue?.close();
      await Promise.all(ready.map(({ done }) => done));
      left = left.filter((running) => !ready.includes(running));
    }
  }
}

function isOwnTelemetry({ type }: Component): boolean {
  return type === "internal_metrics";
}

async function runTransform(transform: Transform, take: Take, send: Send): Promise<void> {
  for (
    let events = await take(transformBatch);
    events !== undefined;
    events = await take(transformBatch)
  ) {
    await transform.transform(events, send);
  }
}
