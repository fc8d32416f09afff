import type { EntityManager } from "@mikro-orm/postgresql";
import type { Clock } from "#common/clock.ts";
import type { LogLevel } from "../db/enums.ts";

/** A stored line as people see it. */
export interface LogView {
  readonly id: string;
  readonly timestamp: Date;
  readonly level: LogLevel;
  readonly nodeId: string;
  readonly nodeName: string | null;
  readonly pipelineId: string;
  readonly componentKey: string | null;
  readonly message: string;
}

export interface LogQuery {
  readonly pipelineId?: string;
  readonly nodeId?: string;
  /** This level and worse; undefined for all. */
  readonly minimumLevel: LogLevel | undefined;
  readonly search: string;
  /** Only lines before this moment, or at it with a smaller id. */
  readonly before: { readonly at: Date; readonly id: string } | undefined;
  readonly limit: number;
}

/** A search reads at most this many lines for a page: no text makes the database read days (S11). */
const searchedLines = 20_000;

type Place = NonNullable<LogQuery["before"]>;

/** Lines newest first, and the place to go on from when there may be more. */
export async function listLogs(
  em: EntityManager,
  query: LogQuery,
): Promise<{ readonly lines: LogView[]; readonly next: Place | undefined }> {
  const rows = await readLogs(em, { ...query, limit: query.limit + 1 });
  const lines = rows.slice(0, query.limit);
  const last = lines.at(-1);
  if (rows.length > query.limit && last !== undefined) {
    return { lines, next: { at: last.timestamp, id: last.id } };
  }
  if (query.search === "") return { lines, next: undefined };
  const { sql, values } = conditionsOf(query);
  const [end] = await em.execute<Place[]>(
    `select l."timestamp" as "at", l."id" from "PipelineLog" l where ${sql}
     order by l."timestamp" desc, l."id" desc offset ? limit 1`,
    [...values, searchedLines - 1],
  );
  return { lines, next: end };
}

function conditionsOf(query: Omit<LogQuery, "search" | "limit">): {
  readonly sql: string;
  readonly values: unknown[];
} {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const where = (condition: string, ...parameters: unknown[]): void => {
    conditions.push(condition);
    values.push(...parameters);
  };
  if (query.pipelineId !== undefined) where(`l."pipelineId" = ?`, query.pipelineId);
  if (query.nodeId !== undefined) where(`l."nodeId" = ?`, query.nodeId);
  // The enum's order is the order of severity.
  if (query.minimumLevel !== undefined) where(`l."level" >= ?::"LogLevel"`, query.minimumLevel);
  if (query.before !== undefined) {
    where(`(l."timestamp", l."id") < (?, ?)`, query.before.at, query.before.id);
  }
  return { sql: conditions.join(" and "), values };
}

async function readLogs(em: EntityManager, query: LogQuery): Promise<LogView[]> {
  const { sql, values } = conditionsOf(query);
  const order = `order by l."timestamp" desc, l."id" desc`;
  const lines =
    query.search === ""
      ? `select l.* from "PipelineLog" l where ${sql} ${order} limit ?`
      : `select * from (select l.* from "PipelineLog" l where ${sql} ${order} limit ${searchedLines}) l
         where position(lower(?) in lower(l."message")) > 0 ${order} limit ?`;
  return em.execute<LogView[]>(
    `select l."id", l."timestamp", l."level", l."nodeId", n."name" as "nodeName", l."pipelineId",
       l."componentKey", l."message"
     from (${lines}) l left join "VectorNode" n on n."id" = l."nodeId" ${order}`,
    [...values, ...(query.search === "" ? [] : [query.search]), query.limit],
  );
}

/** Lines may be stored later than others that were written after them. */
const overlapMs = 15_000;
const pollMs = 700;
const maximumBatch = 500;

/** New lines of a tail, oldest first, with the number of lines left out before them. */
export interface TailBatch {
  readonly lines: readonly LogView[];
  readonly skipped: number;
}

/** What a tail follows: a pipeline over its nodes, or a node over its pipelines. */
export type TailQuery = Pick<LogQuery, "minimumLevel" | "pipelineId" | "nodeId">;

/**
 * Follows the lines of a pipeline or a node, beginning with the newest stored ones. Read from the database, so that it
 * does not matter which replica the agents talk to. Yields an empty batch when nothing came for ten seconds.
 */
export async function* tailLogs(
  fork: () => EntityManager,
  clock: Clock,
  query: TailQuery,
  signal: AbortSignal,
): AsyncGenerator<TailBatch> {
  const seen = new Map<string, number>();
  let quietSince = clock.now().getTime();
  let newest = 0;
  for (let first = true; !signal.aborted; first = false) {
    const after = newest;
    const rows = await readLogs(fork(), {
      ...query,
      search: "",
      before: undefined,
      limit: first ? 200 : maximumBatch,
    });
    const fresh = rows
      .filter(({ id, timestamp }) => !seen.has(id) && timestamp.getTime() > newest - overlapMs)
      .toReversed();
    for (const { id, timestamp } of fresh) {
      seen.set(id, timestamp.getTime());
      newest = Math.max(newest, timestamp.getTime());
    }
    // A full reading without a known line in it means that more came than fit.
    const skipped =
      !first && fresh.length === maximumBatch
        ? await skipOver(fork(), query, new Date(after - overlapMs), seen)
        : 0;
    for (const [id, at] of seen) if (at < newest - overlapMs * 2) seen.delete(id);
    const now = clock.now().getTime();
    if (fresh.length > 0 || first || now - quietSince >= 10_000) {
      quietSince = now;
      yield { lines: fresh, skipped };
    }
    await clock.sleep(pollMs, signal).catch(() => {});
  }
}

/** Ids that one overrun looks at; beyond them lines are counted and not remembered. */
const maximumSkipped = 50_000;

/** Counts the lines since a moment that no reading gave, and marks them as seen: each is skipped once. */
async function skipOver(
  em: EntityManager,
  query: TailQuery,
  since: Date,
  seen: Map<string, number>,
): Promise<number> {
  const { sql, values } = conditionsOf({ ...query, before: undefined });
  const from = `from "PipelineLog" l where ${sql} and l."timestamp" > ?`;
  const rows = await em.execute<{ id: string; timestamp: Date }[]>(
    `select l."id", l."timestamp" ${from} order by l."timestamp" desc, l."id" desc limit ?`,
    [...values, since, maximumSkipped],
  );
  const missed = rows.filter(({ id }) => !seen.has(id));
  for (const { id, timestamp } of missed) seen.set(id, timestamp.getTime());
  if (rows.length < maximumSkipped) return missed.length;
  const [total] = await em.execute<{ count: number }[]>(`select count(*)::int as "count" ${from}`, [
    ...values,
    since,
  ]);
  return missed.length + Math.max(0, (total?.count ?? 0) - rows.length);
}
