import type { Clock } from "#common/clock.ts";
import { flowOf, type Flow } from "../process/flow.ts";
import type { PipelineRunner } from "../process/runner.ts";
import type { VectorProcess } from "../process/vector-process.ts";
import {
  countersSince,
  joinDeltas,
  type ComponentDelta,
  type Reading,
} from "../vector/counters.ts";
import { metricsPage } from "../vector/metrics-page.ts";
import { parsePrometheus } from "../vector/prometheus.ts";
import { afterCheck, assumedDelivering, checkDelivery, type Delivery } from "./delivering.ts";
import { LastMinute, undeliveredText } from "./evidence.ts";

/** What a pipeline's components did over a time, within one run of its process. */
export interface PipelineDeltas {
  readonly epoch: string;
  readonly intervalMs: number;
  readonly components: readonly ComponentDelta[];
}

interface Followed {
  readonly epoch: string;
  reading: Reading;
  readAt: Date;
  delivery: Delivery;
  readonly lastMinute: LastMinute;
  /** When the runner was last given evidence, in milliseconds of the clock; undefined while it delivers. */
  toldAt: number | undefined;
  unsent: PipelineDeltas | undefined;
}

const pageTimeoutMs = 2000;
/** The evidence of a pipeline that does not deliver is told anew this often. */
const evidenceEveryMs = 30_000;

/**
 * Reads the counters of all running pipelines at an interval of its own, so that a hung page costs its pipeline
 * a gap and nothing else (A10, S2). What no heartbeat has taken yet is kept and joined.
 */
export class Scraper {
  readonly #followed = new Map<string, Followed>();
  readonly #runners: () => readonly PipelineRunner[];
  readonly #clock: Clock;

  constructor(runners: () => readonly PipelineRunner[], clock: Clock) {
    this.#runners = runners;
    this.#clock = clock;
  }

  /** Takes what has gathered for a pipeline in the given run of its process; undefined is a gap. */
  take(pipelineId: string, epoch: string): PipelineDeltas | undefined {
    const followed = this.#followed.get(pipelineId);
    if (followed?.epoch !== epoch) return undefined;
    const { unsent } = followed;
    followed.unsent = undefined;
    return unsent;
  }

  async run(intervalMs: () => number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.scrape();
      await this.#clock.sleep(intervalMs(), signal);
    }
  }

  /** Reads every running pipeline once, all at the same time. */
  async scrape(): Promise<void> {
    const runners = this.#runners();
    const ids = new Set(runners.map(({ id }) => id));
    for (const id of this.#followed.keys()) if (!ids.has(id)) this.#followed.delete(id);
    await Promise.all(runners.map((runner) => this.#scrapeOne(runner)));
  }

  async #scrapeOne(runner: PipelineRunner): Promise<void> {
    const { process } = runner;
    if (process === undefined || process.metricsPort === 0) return;
    const page = await metricsPage(process.metricsPort, pageTimeoutMs);
    if (page === undefined || process.ended !== undefined) return;
    const now = this.#clock.now();
    let followed = this.#followed.get(runner.id);
    if (followed?.epoch !== process.epoch) {
      // A process starts at zero, so its first reading covers its whole life.
      followed = {
        epoch: process.epoch,
        reading: new Map(),
        readAt: process.startedAt,
        delivery: assumedDelivering,
        lastMinute: new LastMinute(),
        toldAt: undefined,
        unsent: undefined,
      };
      this.#followed.set(runner.id, followed);
    }
    const { reading, components } = countersSince(followed.reading, parsePrometheus(page));
    const intervalMs = now.getTime() - followed.readAt.getTime();
    followed.reading = reading;
    followed.readAt = now;
    followed.unsent = {
      epoch: process.epoch,
      intervalMs: intervalMs + (followed.unsent?.intervalMs ?? 0),
      components: joinDeltas(followed.unsent?.components ?? [], components),
    };
    followed.delivery = afterCheck(followed.delivery, checkDelivery(components));
    this.#tellDelivery(runner, process, followed, flowOf(components));
  }

  #tellDelivery(
    runner: PipelineRunner,
    process: VectorProcess,
    followed: Followed,
    flow: Flow,
  ): void {
    const now = followed.readAt.getTime();
    followed.lastMinute.add(now, flow);
    if (followed.delivery.delivering) {
      followed.toldAt = undefined;
      runner.noteDelivery("");
    } else if (followed.toldAt === undefined || now - followed.toldAt >= evidenceEveryMs) {
      followed.toldAt = now;
      runner.noteDelivery(undeliveredText(followed.lastMinute.sum(), process.lastError));
    }
  }
}
