import type { MikroORM } from "@mikro-orm/postgresql";
import type { Clock } from "#common/clock.ts";
import { Latest } from "#common/latest.ts";
import type { Logger } from "#common/logger.ts";
import type { Sealer } from "../crypto/sealer.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { CheckAnswer } from "../fleet/agent-checks.ts";
import type { AgentHub, HubSession } from "../fleet/agent-hub.ts";
import { checkOrder } from "../fleet/check-proto.ts";
import { openReferences } from "../secrets/opened.ts";
import type { References } from "../secrets/references.ts";

export interface HostChecksDeps {
  readonly orm: MikroORM;
  readonly hub: AgentHub;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Hosts that have the order at one time: an order may have megabytes. */
const maximumUnderWay = 32;
/** What a host gives its Vector. */
const vectorLimitMs = 20_000;
/** From the order to the answer, with what else the host is asked before. */
const hostLimitMs = 45_000;
const flushMs = 200;

interface CheckRow {
  readonly pipelineId: string;
  /** The only host that is asked; null: all of the pipeline. */
  readonly nodeId: string | null;
  readonly runTests: boolean;
  readonly environmentId: string;
  readonly configYaml: string;
  readonly references: References;
}

/**
 * Asks the hosts of this replica about configurations, whichever replica a person asked: each order and each answer is
 * a row, and NOTIFY tells of both. Deleting the row ends it everywhere.
 */
export class HostChecks {
  readonly #deps: HostChecksDeps;
  readonly #runs = new Map<string, AbortController>();
  readonly #watchers = new Map<string, Latest<true>>();

  constructor(deps: HostChecksDeps) {
    this.#deps = deps;
  }

  /** Wakes whoever asked when answers have come. */
  watch(checkId: string): Disposable & { readonly answers: Latest<true> } {
    const answers = new Latest<true>();
    this.#watchers.set(checkId, answers);
    return { answers, [Symbol.dispose]: () => void this.#watchers.delete(checkId) };
  }

  /** Answers have been stored by some replica. */
  answered(checkId: string): void {
    this.#watchers.get(checkId)?.put(true);
  }

  /** Some may have been missed. */
  everythingChanged(): void {
    for (const answers of this.#watchers.values()) answers.put(true);
  }

  /** Nobody waits for it any more. */
  over(checkId: string): void {
    this.#runs.get(checkId)?.abort();
  }

  /** A person has asked. Never rejects. */
  async began(checkId: string, environmentId: string): Promise<void> {
    const sessions = this.#deps.hub.sessionsOf(environmentId);
    if (sessions.length === 0 || this.#runs.has(checkId)) return;
    const stop = new AbortController();
    this.#runs.set(checkId, stop);
    try {
      await this.#run(checkId, sessions, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) this.#deps.log.error("cannot check on hosts", { checkId, error });
    } finally {
      this.#runs.delete(checkId);
    }
  }

  async #run(checkId: string, sessions: readonly HubSession[], signal: AbortSignal): Promise<void> {
    const { orm, sealer, log, clock } = this.#deps;
    const em = orm.em.fork();
    const [row] = await em.execute<CheckRow[]>(
      `select h."pipelineId", h."nodeId", h."runTests", p."environmentId", h."configYaml", h."references"
       from "HostCheck" h join "Pipeline" p on p."id" = h."pipelineId" where h."id" = ? and h."expiresAt" > ?`,
      [checkId, clock.now()],
    );
    if (row === undefined) return;
    const selected = await em.execute<{ id: string }[]>(
      `select n."id" from "VectorNode" n join "Pipeline" p on p."environmentId" = n."environmentId"
       where p."id" = ? and (p."nodeSelector" is null or "node_selector_matches"(p."nodeSelector", n."labels"))`,
      [row.pipelineId],
    );
    const ids = new Set(selected.map(({ id }) => id));
    const own = sessions.filter(
      ({ nodeId }) => ids.has(nodeId) && (row.nodeId === null || row.nodeId === nodeId),
    );
    const [opened] = await openReferences({ em, sealer, log }, row.environmentId, [row]);
    const asked = opened === undefined ? [] : own.filter(({ canCheck }) => canCheck);
    const others = own.filter((session) => !asked.includes(session));
    await this.#store(checkId, others.map(unasked), signal);
    if (asked.length === 0 || opened === undefined) return;
    const bytes = checkOrder(checkId, row, opened, {
      timeLimitMs: vectorLimitMs,
      runTests: row.runTests,
    });
    await this.#ask(checkId, asked, bytes, signal);
  }

  async #ask(
    checkId: string,
    sessions: readonly HubSession[],
    bytes: Buffer,
    signal: AbortSignal,
  ): Promise<void> {
    let waiting: (CheckAnswer & { readonly nodeId: string })[] = [];
    const flush = async (): Promise<void> => {
      const answers = waiting;
      waiting = [];
      await this.#store(checkId, answers, signal);
    };
    const over = new AbortController();
    const flushing = (async () => {
      while (!over.signal.aborted) {
        await this.#deps.clock.sleep(flushMs, over.signal).catch(() => {});
        await flush();
      }
    })();
    const rest = [...sessions];
    const worker = async (): Promise<void> => {
      for (let session = rest.shift(); session !== undefined; session = rest.shift()) {
        if (signal.aborted) return;
        const answer = await this.#askOne(session, checkId, bytes, signal);
        if (answer !== undefined) waiting.push({ ...answer, nodeId: session.nodeId });
      }
    };
    try {
      await Promise.all(Array.from({ length: maximumUnderWay }, worker));
    } finally {
      over.abort();
      await flushing;
      await flush();
    }
  }

  /** Undefined when the time was over, or nobody waits any more. */
  async #askOne(
    session: HubSession,
    checkId: string,
    bytes: Buffer,
    signal: AbortSignal,
  ): Promise<CheckAnswer | undefined> {
    const { promise, resolve } = Promise.withResolvers<CheckAnswer | undefined>();
    using _check = session.checks.start(checkId, bytes, resolve);
    const settled = new AbortController();
    const late = this.#deps.clock
      .sleep(hostLimitMs, AbortSignal.any([signal, settled.signal]))
      .catch(() => {}) // It was answered, or is over.
      .then(() => resolve(undefined));
    const answer = await promise;
    settled.abort();
    await late;
    return answer;
  }

  /** Answers to what was deleted meanwhile are nobody's. */
  async #store(
    checkId: string,
    answers: readonly (CheckAnswer & { readonly nodeId: string })[],
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted || answers.length === 0) return;
    const rows = answers.map((answer) => ({ ...answer, id: newId() }));
    try {
      await this.#deps.orm.em.fork().transactional(async (em) => {
        await em.execute(
          `insert into "HostCheckAnswer" ("id", "checkId", "nodeId", "verdict", "reason", "problems", "vectorVersion",
             "tests")
           select a."id", h."id", n."id", a."verdict", a."reason", a."problems", a."vectorVersion", a."tests"
           from jsonb_to_recordset(?::jsonb) as a("id" text, "nodeId" text, "verdict" text, "reason" text,
             "problems" jsonb, "vectorVersion" text, "tests" jsonb)
           join "HostCheck" h on h."id" = ? join "VectorNode" n on n."id" = a."nodeId"
           on conflict do nothing`,
          [JSON.stringify(rows), checkId],
        );
        await announce(em, { kind: "host_check_answers", checkId });
      });
    } catch (error) {
      // The hosts are shown without an answer.
      this.#deps.log.error("cannot store what hosts said", { checkId, error });
    }
  }
}

/** A host that is connected, and that the question does not go to. */
function unasked({ nodeId, canCheck }: HubSession): CheckAnswer & { readonly nodeId: string } {
  const reason = canCheck
    ? "a secret or certificate cannot be read on the server"
    : "it was not asked: its agent is too old, or ignores this server until a person confirms it";
  return { nodeId, verdict: "FAILED", reason, problems: [], vectorVersion: "", tests: [] };
}
