import type { EntityManager } from "@mikro-orm/postgresql";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { ChangeTopic } from "../db/changes.ts";
import { listChangedNodes, listNodes, type NodeView } from "../fleet/nodes.ts";
import { listStatuses, type StatusView } from "../pipelines/statuses.ts";
import {
  componentRates,
  listLivePipelines,
  type ComponentRate,
  type LivePipeline,
} from "./live-pipelines.ts";

/** The picture of an environment, shared by everyone who watches it through this replica. */
export interface EnvironmentView {
  readonly nodes: Map<string, NodeView>;
  readonly pipelines: Map<string, LivePipeline>;
  /** Of pipelines that somebody looks at, by `<pipeline>/<node>`. */
  readonly statuses: Map<string, StatusView>;
  readonly components: Map<string, readonly ComponentRate[]>;
  /** How often each topic has changed. */
  readonly topics: Map<ChangeTopic, number>;
}

interface Watched {
  readonly view: EnvironmentView;
  readonly watchers: Set<Watcher>;
  readonly stop: AbortController;
  wake: PromiseWithResolvers<void>;
  nodesSince: Date;
}

interface Watcher {
  readonly pipelineIds: ReadonlySet<string>;
  changed(): void;
}

/** People see changes within this, plus a second at most for numbers. */
const tickMs = 1000;
const shortestPauseMs = 150;
/** Rows that were being committed while the last reading ran are read again. */
const overlapMs = 3000;

/**
 * Live pictures, read from the database: so every replica shows the same, whichever holds the sessions of the
 * agents. An environment is read only while somebody watches it, once a second for all watchers together and
 * at once when something is announced; a reading that takes long makes the next one wait.
 */
export class LiveViews {
  readonly #environments = new Map<string, Watched>();
  readonly #fork: () => EntityManager;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(fork: () => EntityManager, clock: Clock, log: Logger) {
    this.#fork = fork;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins to watch; resolves when the first picture is there. */
  async watch(
    environmentId: string,
    pipelineIds: ReadonlySet<string>,
    changed: () => void,
    signal: AbortSignal,
  ): Promise<EnvironmentView> {
    const watcher: Watcher = { pipelineIds, changed };
    let watched = this.#environments.get(environmentId);
    if (watched === undefined) {
      watched = {
        view: {
          nodes: new Map(),
          pipelines: new Map(),
          statuses: new Map(),
          components: new Map(),
          topics: new Map(),
        },
        watchers: new Set(),
        stop: new AbortController(),
        nodesSince: new Date(0),
        wake: Promise.withResolvers<void>(),
      };
      this.#environments.set(environmentId, watched);
      watched.watchers.add(watcher);
      await this.#readAll(environmentId, watched);
      void this.#follow(environmentId, watched);
    } else {
      watched.watchers.add(watcher);
      await this.#read(environmentId, watched);
    }
    const joined = watched;
    const leave = (): void => {
      joined.watchers.delete(watcher);
      if (joined.watchers.size > 0) return;
      joined.stop.abort();
      if (this.#environments.get(environmentId) === joined)
        this.#environments.delete(environmentId);
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    return watched.view;
  }

  /** Something was announced. */
  environmentChanged(environmentId: string, topic: ChangeTopic | undefined): void {
    const watched = this.#environments.get(environmentId);
    if (watched === undefined) return;
    if (topic !== undefined) {
      watched.view.topics.set(topic, (watched.view.topics.get(topic) ?? 0) + 1);
    }
    watched.wake.resolve();
  }

  everythingChanged(): void {
    for (const { wake } of this.#environments.values()) wake.resolve();
  }

  async #follow(environmentId: string, watched: Watched): Promise<void> {
    const { signal } = watched.stop;
    while (!signal.aborted) {
      watched.wake = Promise.withResolvers<void>();
      const pause = new AbortController();
      const sleeping = this.#clock.sleep(tickMs, AbortSignal.any([signal, pause.signal]));
      await Promise.race([sleeping.catch(() => {}), watched.wake.promise]);
      pause.abort();
      if (signal.aborted) return;
      const started = performance.now();
      try {
        await this.#read(environmentId, watched);
      } catch (error) {
        this.#log.warn("cannot read the live picture", { environmentId, error });
      }
      for (const watcher of watched.watchers) watcher.changed();
      const pauseMs = Math.max(shortestPauseMs, (performance.now() - started) * 4);
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
    }
  }

  async #readAll(environmentId: string, watched: Watched): Promise<void> {
    const em = this.#fork();
    watched.nodesSince = new Date(this.#clock.now().getTime() - overlapMs);
    let after: { name: string; id: string } | undefined;
    for (;;) {
      const page = await listNodes({ em }, environmentId, after, 1000);
      for (const node of page) watched.view.nodes.set(node.id, node);
      const last = page.at(-1);
      if (last === undefined || page.length < 1000) break;
      after = { name: last.name.toLowerCase(), id: last.id };
    }
    await this.#read(environmentId, watched);
  }

  async #read(environmentId: string, watched: Watched): Promise<void> {
    const em = this.#fork();
    const { view } = watched;
    const now = this.#clock.now();
    const changed = await listChangedNodes(em, environmentId, watched.nodesSince);
    watched.nodesSince = new Date(now.getTime() - overlapMs);
    for (const node of changed) view.nodes.set(node.id, node);
    await this.#forgetNodes(em, environmentId, view);
    replace(
      view.pipelines,
      (await listLivePipelines(em, environmentId, now)).map((row) => [row.id, row] as const),
    );
    const wanted = new Set([...watched.watchers].flatMap(({ pipelineIds }) => [...pipelineIds]));
    const statuses: (readonly [string, StatusView])[] = [];
    for (const id of [...wanted].slice(0, 20)) {
      if (!view.pipelines.has(id)) continue;
      for (const row of await listStatuses(em, { pipelineId: id })) {
        statuses.push([`${row.pipelineId}/${row.nodeId}`, row]);
      }
      view.components.set(id, await componentRates(em, id, now));
    }
    replace(view.statuses, statuses);
  }

  async #forgetNodes(
    em: EntityManager,
    environmentId: string,
    view: EnvironmentView,
  ): Promise<void> {
    const [row] = await em.execute<{ count: number }[]>(
      `select count(*)::int as count from "VectorNode" where "environmentId" = ?`,
      [environmentId],
    );
    if (row?.count === view.nodes.size) return;
    const rows = await em.execute<{ id: string }[]>(
      `select "id" from "VectorNode" where "environmentId" = ?`,
      [environmentId],
    );
    const alive = new Set(rows.map(({ id }) => id));
    for (const id of view.nodes.keys()) if (!alive.has(id)) view.nodes.delete(id);
  }
}

function replace<V>(map: Map<string, V>, entries: readonly (readonly [string, V])[]): void {
  const keys = new Set(entries.map(([key]) => key));
  for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
  for (const [key, value] of entries) map.set(key, value);
}
