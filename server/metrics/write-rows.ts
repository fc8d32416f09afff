import { randomBytes } from "node:crypto";
import type { ClientBase } from "pg";
import type {
  ComponentRow,
  LogRow,
  NodeMetricRow,
  NodeRow,
  PipelineBeatRow,
  ReportRow,
} from "./ingest-rows.ts";

/**
 * The hot statements. Each writes any number of rows at once with `unnest`, one array per column. Rows of
 * pipelines that are gone, or belong to another environment than their node, are left out by a join: one
 * late row never costs the others, and a host reports only for what it was given (A11, X7).
 */

const processId = randomBytes(6).toString("hex");
let rowCount = 0;

/** Unique over all replicas; cheaper than a CUID, at tens of thousands a second. */
function rowId(): string {
  rowCount += 1;
  return `${processId}${rowCount.toString(36)}`;
}

type Column<T> = readonly [type: string, value: (row: T) => unknown];

/** `unnest($1::text[], …)` with its parameters. */
function columns<T>(
  rows: readonly T[],
  list: readonly Column<T>[],
): { unnest: string; values: unknown[][] } {
  return {
    unnest: `unnest(${list.map(([type], index) => `$${index + 1}::${type}[]`).join(", ")})`,
    values: list.map(([, value]) => rows.map(value)),
  };
}

export async function writeNodes(db: ClientBase, rows: readonly NodeRow[]): Promise<void> {
  // Of several beats of one node, the newest counts.
  const newest = [...new Map(rows.map((row) => [row.nodeId, row])).values()];
  const { unnest, values } = columns(newest, [
    ["text", (row) => row.nodeId],
    ["timestamptz", (row) => row.at],
    ["text", (row) => row.status],
    ["text", (row) => JSON.stringify(row.reasons)],
    ["text", (row) => (row.usage === undefined ? null : JSON.stringify(row.usage))],
    ["int8", (row) => row.lostLogLines],
  ]);
  await db.query(
    `update "VectorNode" n set "lastHeartbeat" = u.at, "lastSeen" = u.at, "changedAt" = u.at,
       "status" = u.status::"NodeStatus", "statusReasons" = u.reasons::jsonb,
       "usage" = coalesce(u.usage::jsonb, n."usage"), "lostLogLines" = n."lostLogLines" + u.lost
     from ${unnest} as u(id, at, status, reasons, usage, lost) where n."id" = u.id`,
    values,
  );
}

export async function writeNodeMetrics(
  db: ClientBase,
  rows: readonly NodeMetricRow[],
): Promise<void> {
  const { unnest, values } = columns(rows, [
    ["text", rowId],
    ["timestamptz", (row) => row.at],
    ["text", (row) => row.nodeId],
    ["int4", (row) => row.intervalMs],
    ["float8", (row) => row.cpuRatio],
    ["text", (row) => JSON.stringify(row.coreRatios)],
    ["float8", (row) => row.load[0]],
    ["float8", (row) => row.load[1]],
    ["float8", (row) => row.load[2]],
    ["float8", (row) => row.memoryTotalBytes],
    ["float8", (row) => row.memoryUsedBytes],
    ["float8", (row) => row.diskTotalBytes],
    ["float8", (row) => row.diskUsedBytes],
    ["text", (row) => JSON.stringify(row.filesystems)],
    ["float8", (row) => row.receivedBytes],
    ["float8", (row) => row.sentBytes],
  ]);
  await db.query(
    `insert into "NodeMetric" ("id", "timestamp", "nodeId", "intervalMs", "cpuRatio", "coreRatios", "load1",
       "load5", "load15", "memoryTotalBytes", "memoryUsedBytes", "diskTotalBytes", "diskUsedBytes",
       "filesystems", "receivedBytes", "sentBytes")
     select u.id, u.at, u.node, u.ms, u.cpu, u.cores::jsonb, u.l1, u.l5, u.l15, u.mt, u.mu, u.dt, u.du,
       u.fs::jsonb, u.rx, u.tx
     from ${unnest} as u(id, at, node, ms, cpu, cores, l1, l5, l15, mt, mu, dt, du, fs, rx, tx)
     join "VectorNode" n on n."id" = u.node`,
    values,
  );
}

export async function writePipelineBeats(
  db: ClientBase,
  rows: readonly PipelineBeatRow[],
): Promise<void> {
  const newest = [...new Map(rows.map((row) => [`${row.nodeId}/${row.pipelineId}`, row])).values()];
  const { unnest, values } = columns(newest, [
    ["text", (row) => row.nodeId],
    ["text", (row) => row.pipelineId],
    ["timestamptz", (row) => row.at],
    ["text", (row) => row.status],
    ["text", (row) => row.condition],
    ["int4", (row) => row.version],
    ["text", (row) => row.effectiveHash],
    ["int4", (row) => row.restarts],
    ["float8", (row) => row.uptimeSeconds],
    ["float8", (row) => row.rates?.eventsIn ?? null],
    ["float8", (row) => row.rates?.eventsOut ?? null],
    ["float8", (row) => row.rates?.bytesIn ?? null],
    ["float8", (row) => row.rates?.bytesOut ?? null],
    ["float8", (row) => row.rates?.errors ?? null],
    ["float8", (row) => row.rates?.discarded ?? null],
  ]);
  await db.query(
    `update "NodePipelineStatus" s set "status" = u.status::"ProcessStatus", "condition" = u.condition,
       "version" = u.version, "effectiveHash" = u.hash, "restarts" = u.restarts, "uptimeSeconds" = u.uptime,
       "eventsInRate" = u.ei, "eventsOutRate" = u.eo, "bytesInRate" = u.bi, "bytesOutRate" = u.bo,
       "errorRate" = u.er, "discardRate" = u.di,
       "ratesAt" = case when u.ei is null then s."ratesAt" else u.at end, "lastUpdated" = u.at
     from ${unnest} as u(node, pipeline, at, status, condition, version, hash, restarts, uptime, ei, eo, bi,
       bo, er, di)
     -- A beat that was gathered before a report must not take back what the report said.
     where s."nodeId" = u.node and s."pipelineId" = u.pipeline and s."lastUpdated" <= u.at`,
    values,
  );
}

export async function writeComponents(
  db: ClientBase,
  rows: readonly ComponentRow[],
): Promise<void> {
  const { unnest, values } = columns(rows, [
    ["text", rowId],
    ["timestamptz", (row) => row.at],
    ["text", (row) => row.pipelineId],
    ["text", (row) => row.nodeId],
    ["text", (row) => row.environmentId],
    ["text", (row) => row.componentKey],
    ["text", (row) => row.kind],
    ["int4", (row) => row.intervalMs],
    ["float8", (row) => row.eventsIn],
    ["float8", (row) => row.eventsOut],
    ["float8", (row) => row.bytesIn],
    ["float8", (row) => row.bytesOut],
    ["float8", (row) => row.errors],
    ["float8", (row) => row.discarded],
    ["float8", (row) => row.dropped],
    ["float8", (row) => row.utilization],
  ]);
  await db.query(
    `insert into "PipelineMetric" ("id", "timestamp", "pipelineId", "nodeId", "componentKey", "componentKind",
       "intervalMs", "eventsIn", "eventsOut", "bytesIn", "bytesOut", "errorsTotal", "eventsDiscarded",
       "eventsDropped", "utilization")
     select u.id, u.at, u.pipeline, u.node, u.key, u.kind::"ComponentKind", u.ms, u.ei, u.eo, u.bi, u.bo, u.er,
       u.di, u.dr, u.ut
     from ${unnest} as u(id, at, pipeline, node, env, key, kind, ms, ei, eo, bi, bo, er, di, dr, ut)
     join "Pipeline" p on p."id" = u.pipeline and p."environmentId" = u.env`,
    values,
  );
}

export async function writeReports(db: ClientBase, rows: readonly ReportRow[]): Promise<void> {
  const removed = rows.filter((row) => row.removed);
  if (removed.length > 0) {
    await db.query(
      `delete from "NodePipelineStatus" s using unnest($1::text[], $2::text[]) as u(node, pipeline)
       where s."nodeId" = u.node and s."pipelineId" = u.pipeline`,
      [removed.map((row) => row.nodeId), removed.map((row) => row.pipelineId)],
    );
  }
  // One statement may touch a row once, and each step leaves its time: reports of one pipeline go in turns.
  let pending = rows.filter((row) => !row.removed);
  while (pending.length > 0) {
    const turn = new Map<string, ReportRow>();
    const later: ReportRow[] = [];
    for (const row of pending) {
      const key = `${row.nodeId}/${row.pipelineId}`;
      if (turn.has(key)) later.push(row);
      else turn.set(key, row);
    }
    await writeReportTurn(db, [...turn.values()]);
    pending = later;
  }
}

async function writeReportTurn(db: ClientBase, rows: readonly ReportRow[]): Promise<void> {
  const { unnest, values } = columns(rows, [
    ["text", rowId],
    ["text", (row) => row.nodeId],
    ["text", (row) => row.environmentId],
    ["text", (row) => row.pipelineId],
    ["timestamptz", (row) => row.at],
    ["text", (row) => row.phase],
    ["text", (row) => row.status],
    ["text", (row) => row.condition],
    ["int4", (row) => row.version],
    ["text", (row) => row.effectiveHash],
    ["int4", (row) => row.attemptedVersion],
    ["text", (row) => row.attemptedHash],
    ["int4", (row) => row.attempt],
    ["text", (row) => row.reason],
    ["text", (row) => JSON.stringify(row.problems)],
    ["text", (row) => JSON.stringify(row.logTail)],
    ["int4", (row) => row.pid],
    ["int4", (row) => row.restarts],
    ["int4", (row) => row.gapMs],
    ["timestamptz", (row) => row.nextStartAt],
    ["text", (row) => row.notice],
    ["text", (row) => row.vectorVersion],
  ]);
  await db.query(
    `insert into "NodePipelineStatus" as s ("id", "nodeId", "pipelineId", "phase", "status", "condition",
       "version", "effectiveHash", "attemptedVersion", "attemptedHash", "attempt", "reason", "problems",
       "logTail", "pid", "restarts", "gapMs", "nextStartAt", "notice", "vectorVersion", "lastUpdated",
       "receivedAt", "validatedAt", "appliedAt", "finishedAt")
     select u.id, u.node, u.pipeline, u.phase, u.status::"ProcessStatus", u.condition, u.version, u.hash,
       u.av, u.ah, u.attempt, u.reason, u.problems::jsonb, u.tail::jsonb, u.pid, u.restarts, u.gap, u.next,
       u.notice, u.vector, u.at, u.at,
       case when u.phase in ('VALIDATED', 'APPLYING', 'APPLIED') then u.at end,
       case when u.phase in ('APPLYING', 'APPLIED') then u.at end,
       case when u.phase in ('APPLIED', 'FAILED', 'ROLLED_BACK') then u.at end
     from ${unnest} as u(id, node, env, pipeline, at, phase, status, condition, version, hash, av, ah, attempt,
       reason, problems, tail, pid, restarts, gap, next, notice, vector)
     join "Pipeline" p on p."id" = u.pipeline and p."environmentId" = u.env
     join "VectorNode" n on n."id" = u.node
     on conflict ("nodeId", "pipelineId") do update set "phase" = excluded."phase",
       "status" = excluded."status", "condition" = excluded."condition", "version" = excluded."version",
       "effectiveHash" = excluded."effectiveHash", "attemptedVersion" = excluded."attemptedVersion",
       "attemptedHash" = excluded."attemptedHash", "attempt" = excluded."attempt",
       "reason" = excluded."reason", "problems" = excluded."problems", "logTail" = excluded."logTail",
       "pid" = excluded."pid", "restarts" = excluded."restarts", "gapMs" = excluded."gapMs",
       "nextStartAt" = excluded."nextStartAt", "notice" = excluded."notice",
       "vectorVersion" = excluded."vectorVersion", "lastUpdated" = excluded."lastUpdated",
       "receivedAt" = case when ${sameAttempt} then s."receivedAt" else excluded."receivedAt" end,
       "validatedAt" = case when ${sameAttempt} then coalesce(s."validatedAt", excluded."validatedAt")
         else excluded."validatedAt" end,
       "appliedAt" = case when ${sameAttempt} then coalesce(s."appliedAt", excluded."appliedAt")
         else excluded."appliedAt" end,
       "finishedAt" = case when ${sameAttempt} then coalesce(s."finishedAt", excluded."finishedAt")
         else excluded."finishedAt" end`,
    values,
  );
}

/** A report of the same attempt keeps the times of the steps before. */
const sameAttempt = `s."attemptedHash" is not distinct from excluded."attemptedHash"
  and s."attempt" = excluded."attempt" and s."attemptedVersion" is not distinct from excluded."attemptedVersion"
  and excluded."phase" <> 'RECEIVED'`;

/** A batch that is sent again stores nothing twice: the id of a line is its place in the agent's spool. */
export async function writeLogs(db: ClientBase, rows: readonly LogRow[]): Promise<void> {
  const { unnest, values } = columns(rows, [
    ["text", (row) => row.id],
    ["timestamptz", (row) => row.at],
    ["text", (row) => row.nodeId],
    ["text", (row) => row.environmentId],
    ["text", (row) => row.pipelineId],
    ["text", (row) => row.level],
    ["text", (row) => row.componentKey],
    ["text", (row) => row.message],
  ]);
  await db.query(
    `insert into "PipelineLog" ("id", "timestamp", "nodeId", "pipelineId", "level", "componentKey", "message")
     select u.id, u.at, u.node, u.pipeline, u.level::"LogLevel", u.key, u.message
     from ${unnest} as u(id, at, node, env, pipeline, level, key, message)
     join "Pipeline" p on p."id" = u.pipeline and p."environmentId" = u.env
     join "VectorNode" n on n."id" = u.node
     on conflict do nothing`,
    values,
  );
}
