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

/** Lines newest first. */
export function listLogs(em: EntityManager, query: LogQuery): Promise<LogView[]> {
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
  if (query.search !== "") where(`position(lower(?) in lower(l."message")) > 0`, query.search);
  if (query.before !== undefined) {
    where(`(l."timestamp", l."id") < (?, ?)`, query.before.at, query.before.id);
  }
  return em.execute<LogView[]>(
    `select l."id", l."timestamp", l."level", l."nodeId", n."name" as "nodeName", l."pipelineId",
       l."componentKey", l."message"
     from "PipelineLog" l left join "VectorNode" n on n."id" = l."nodeId"
     where ${conditions.join(" and ")} order by l."timestamp" desc, l."id" desc limit ?`,
    [...values, query.limit],
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

/**
 * Follows the lines of a pipeline, beginning with the newest stored ones. Read from the database, so that it
 * does not matter which replica the agents talk to. Yields an empty batch when nothing came for ten seconds.
 */
export async function* tailLogs(
  fork: () => EntityManager,
  clock: Clock,
  query: Pick<LogQuery, "minimumLevel"> & { readonly pipelineId: string; readonly nodeId?: string },
  signal: AbortSignal,
): AsyncGenerator<TailBatch> {
  const seen = new Map<string, number>();
  let quietSince = clock.now().getTime();
  let newest = 0;
  for (let first = true; !signal.aborted; first = false) {
    const rows = await listLogs(fork(), {
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
    for (const [id, at] of seen) if (at < newest - overlapMs * 2) seen.delete(id);
    const now = clock.now().getTime();
    // A full reading without a known line in it means that more came than fit.
    const overrun = !first && fresh.length === maximumBatch;
    if (fresh.length > 0 || first || now - quietSince >= 10_000) {
      quietSince = now;
      yield { lines: fresh, skipped: overrun ? 1 : 0 };
    }
    await clock.sleep(pollMs, signal).catch(() => {});
  }
}
