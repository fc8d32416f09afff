import type { EntityManager } from "@mikro-orm/postgresql";
import type { ComponentKind } from "../db/enums.ts";
import { deliveredHash, selectedBy } from "../pipelines/delivery/delivery-sql.ts";
import type { PipelineRow } from "../pipelines/pipeline-list.ts";
import { pipelineColumns } from "../pipelines/pipeline-list.ts";

/** A pipeline with its numbers over all nodes. */
export interface LivePipeline extends PipelineRow {
  readonly nodesDesired: number;
  readonly nodesRunning: number;
  readonly nodesFailed: number;
  readonly nodesCurrent: number;
  readonly crashed: number;
  readonly held: number;
  readonly notDelivering: number;
  readonly starting: number;
  readonly pending: number;
  readonly simulated: boolean;
  /** Null while no node has a measurement that is young enough. */
  readonly measuredAt: Date | null;
  readonly eventsIn: number | null;
  readonly eventsOut: number | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  readonly errors: number | null;
  readonly discarded: number | null;
}

/** A measurement older than this is no live number. */
const freshMs = 45_000;

/**
 * What nodes reported counts only while they can be reached and belong to the fleet: an old word, or that of a host
 * whose token was revoked, is no running pipeline (S6).
 */
export function listLivePipelines(
  em: EntityManager,
  environmentId: string,
  now: Date,
): Promise<LivePipeline[]> {
  const fresh = new Date(now.getTime() - freshMs);
  return em.execute<LivePipeline[]>(
    `select ${pipelineColumns}, live.*,
       case when p."deployedVersion" is null then 0 else (
         select count(*)::int from "VectorNode" n where n."environmentId" = p."environmentId"
           and n."nodeTokenHash" is not null and not n."maintenanceMode"
           and ${selectedBy("n")}) end as "nodesDesired"
     from "Pipeline" p left join "PipelineVersion" v
         on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
       left join "User" u on u."id" = p."updatedById"
       cross join lateral (
         select count(*) filter (where s."status" = 'RUNNING')::int as "nodesRunning",
           count(*) filter (where s."phase" in ('FAILED', 'ROLLED_BACK') and s."attemptedHash" = ${deliveredHash})::int
             as "nodesFailed",
           count(*) filter (where s."status" = 'RUNNING' and s."version" = p."deployedVersion")::int
             as "nodesCurrent",
           count(*) filter (where s."status" = 'CRASHED')::int as "crashed",
           count(*) filter (where s."condition" = 'HELD')::int as "held",
           count(*) filter (where s."condition" = 'NOT_DELIVERING')::int as "notDelivering",
           count(*) filter (where s."status" = 'STARTING')::int as "starting",
           count(*) filter (where s."status" = 'PENDING')::int as "pending",
           coalesce(bool_or((n."metadata" ->> 'simulated')::boolean), false) as "simulated",
           min(s."ratesAt") filter (where s."ratesAt" > ?) as "measuredAt",
           sum(s."eventsInRate") filter (where s."ratesAt" > ?) as "eventsIn",
           sum(s."eventsOutRate") filter (where s."ratesAt" > ?) as "eventsOut",
           sum(s."bytesInRate") filter (where s."ratesAt" > ?) as "bytesIn",
           sum(s."bytesOutRate") filter (where s."ratesAt" > ?) as "bytesOut",
           sum(s."errorRate") filter (where s."ratesAt" > ?) as "errors",
           sum(s."discardRate") filter (where s."ratesAt" > ?) as "discarded"
         from "NodePipelineStatus" s join "VectorNode" n on n."id" = s."nodeId"
         where s."pipelineId" = p."id" and n."status" <> 'UNREACHABLE' and n."nodeTokenHash" is not null
           and ${selectedBy("n")}
       ) live
     where p."environmentId" = ? and not p."isSystem" order by lower(p."name")`,
    [...Array.from({ length: 7 }, () => fresh), environmentId],
  );
}

/** Rates per second of one component, summed over nodes. */
export interface ComponentRate {
  readonly key: string;
  readonly kind: ComponentKind;
  readonly eventsIn: number;
  readonly eventsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly errors: number;
  readonly discarded: number;
}

/** Each node's newest interval of each component. */
export function componentRates(
  em: EntityManager,
  pipelineId: string,
  now: Date,
): Promise<ComponentRate[]> {
  return em.execute<ComponentRate[]>(
    `select "componentKey" as "key", "componentKind" as "kind", sum("eventsIn" / "seconds") as "eventsIn",
       sum("eventsOut" / "seconds") as "eventsOut", sum("bytesIn" / "seconds") as "bytesIn",
       sum("bytesOut" / "seconds") as "bytesOut", sum("errorsTotal" / "seconds") as "errors",
       sum("eventsDiscarded" / "seconds") as "discarded"
     from (
       select distinct on ("nodeId", "componentKey") m.*, greatest(m."intervalMs", 1) / 1000.0 as "seconds"
       from "PipelineMetric" m where m."pipelineId" = ? and m."timestamp" > ?
       order by "nodeId", "componentKey", "timestamp" desc
     ) newest
     group by 1, 2 order by 1`,
    [pipelineId, new Date(now.getTime() - freshMs)],
  );
}
