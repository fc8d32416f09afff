import type { EntityManager } from "@mikro-orm/postgresql";
import { FieldViolations } from "../errors.ts";

/** The times that all series of a chart share. */
export interface Axis {
  readonly start: Date;
  readonly stepSeconds: number;
  readonly points: number;
}

/** A row of a query: values of one subject in one step. */
interface StepRow {
  readonly step: number;
  readonly subject: string;
  readonly [name: string]: number | string | null;
}

export interface Series {
  readonly name: string;
  readonly subject: string;
  /** NaN where nothing was measured. */
  readonly values: number[];
}

const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

/** Chooses a round step so that a range has at most `maximumPoints`. Throws `invalid` for a bad range. */
export function chooseAxis(start: Date, end: Date, maximumPoints: number): Axis {
  const violations = new FieldViolations();
  const seconds = (end.getTime() - start.getTime()) / 1000;
  if (!(seconds > 0)) violations.add("end_time", "must be after start_time");
  if (seconds > 366 * 86_400)
    violations.add("start_time", "must be at most a year before end_time");
  violations.throwIfAny();
  const stepSeconds = steps.find((step) => seconds / step <= maximumPoints) ?? 86_400;
  const stepMs = stepSeconds * 1000;
  const from = Math.floor(start.getTime() / stepMs) * stepMs;
  return { start: new Date(from), stepSeconds, points: Math.ceil((end.getTime() - from) / stepMs) };
}

function collect(axis: Axis, rows: readonly StepRow[], names: readonly string[]): Series[] {
  const series = new Map<string, Series>();
  const at = (name: string, subject: string): Series => {
    const key = `${name}\0${subject}`;
    let found = series.get(key);
    if (found === undefined) {
      found = { name, subject, values: Array.from({ length: axis.points }, () => NaN) };
      series.set(key, found);
    }
    return found;
  };
  for (const name of names) if (rows.length === 0) at(name, "");
  for (const row of rows) {
    for (const name of names) {
      const value = row[name];
      const { values } = at(name, row.subject);
      if (value !== null && value !== undefined && row.step >= 0 && row.step < axis.points) {
        values[row.step] = Number(value);
      }
    }
  }
  return [...series.values()];
}

const stepOf = `floor(extract(epoch from m."timestamp" - ?::timestamptz) / ?)::int as "step"`;

function range(axis: Axis): { start: Date; end: Date; parameters: unknown[] } {
  const end = new Date(axis.start.getTime() + axis.points * axis.stepSeconds * 1000);
  return { start: axis.start, end, parameters: [axis.start, axis.stepSeconds] };
}

/** Host metrics of a node: means over each step; network in bytes per second. */
export async function queryNodeMetrics(
  em: EntityManager,
  nodeId: string,
  axis: Axis,
): Promise<Series[]> {
  const { start, end, parameters } = range(axis);
  const rows = await em.execute<StepRow[]>(
    `select ${stepOf}, '' as "subject", avg("cpuRatio") as "cpu_ratio",
       avg("memoryUsedBytes") as "memory_used_bytes", avg("memoryTotalBytes") as "memory_total_bytes",
       avg("diskUsedBytes") as "disk_used_bytes", avg("diskTotalBytes") as "disk_total_bytes",
       avg("load1") as "load_1",
       sum("receivedBytes") / (nullif(sum("intervalMs"), 0) / 1000.0) as "received_bytes",
       sum("sentBytes") / (nullif(sum("intervalMs"), 0) / 1000.0) as "sent_bytes"
     from "NodeMetric" m where m."nodeId" = ? and m."timestamp" >= ? and m."timestamp" < ? group by 1`,
    [...parameters, nodeId, start, end],
  );
  return collect(axis, rows, [
    "cpu_ratio",
    "memory_used_bytes",
    "memory_total_bytes",
    "disk_used_bytes",
    "disk_total_bytes",
    "load_1",
    "received_bytes",
    "sent_bytes",
  ]);
}

const rateNames = ["events_in", "events_out", "bytes_in", "bytes_out", "errors", "discarded"];

/**
 * Rates per second of a pipeline. Each node's events are divided by the time that its own measurements cover,
 * so that a missed scrape is no dip, and the nodes are added up.
 */
export async function queryPipelineMetrics(
  em: EntityManager,
  query: { readonly pipelineId: string; readonly nodeId: string; readonly byComponent: boolean },
  axis: Axis,
): Promise<Series[]> {
  const { start, end, parameters } = range(axis);
  const seconds = `(nullif(max("covered"), 0) / 1000.0)`;
  const inAt = query.byComponent ? `true` : `"componentKind" = 'SOURCE'`;
  const outAt = query.byComponent ? `true` : `"componentKind" = 'SINK'`;
  const rows = await em.execute<StepRow[]>(
    `with cells as (
       select ${stepOf}, m."nodeId", ${query.byComponent ? `m."componentKey"` : `''`} as "subject",
         sum("eventsIn") filter (where ${inAt}) as "ei", sum("eventsOut") filter (where ${outAt}) as "eo",
         sum("bytesIn") filter (where ${inAt}) as "bi", sum("bytesOut") filter (where ${outAt}) as "bo",
         sum("errorsTotal") as "er", sum("eventsDiscarded") as "di",
         sum("intervalMs") / count(distinct m."componentKey") as "covered"
       from "PipelineMetric" m where m."pipelineId" = ? and m."timestamp" >= ? and m."timestamp" < ?
         ${query.nodeId === "" ? "" : `and m."nodeId" = ?`}
       group by 1, 2, 3
     ), rates as (
       select "step", "subject", "nodeId", sum("ei") / ${seconds} as "ei", sum("eo") / ${seconds} as "eo",
         sum("bi") / ${seconds} as "bi", sum("bo") / ${seconds} as "bo", sum("er") / ${seconds} as "er",
         sum("di") / ${seconds} as "di"
       from cells group by 1, 2, 3
     )
     select "step", "subject", sum("ei") as "events_in", sum("eo") as "events_out", sum("bi") as "bytes_in",
       sum("bo") as "bytes_out", sum("er") as "errors", sum("di") as "discarded"
     from rates group by 1, 2`,
    [...parameters, query.pipelineId, start, end, ...(query.nodeId === "" ? [] : [query.nodeId])],
  );
  return collect(axis, rows, rateNames);
}
