import type { EntityManager } from "@mikro-orm/postgresql";
import type { ProcessStatus } from "../db/enums.ts";
import type { ReportedProblem } from "../fleet/node-pipeline-status.entity.ts";
import { deliveredHash, selectedBy } from "./delivery/delivery-sql.ts";

const selected = selectedBy("n");

/** A pipeline on a node as people see it. */
export interface StatusView {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly nodeStatus: "HEALTHY" | "DEGRADED" | "UNREACHABLE" | "UNKNOWN";
  readonly pipelineId: string;
  readonly pipelineName: string;
  readonly desiredVersion: number | null;
  readonly desiredHash: string | null;
  readonly desiredAttempt: number;
  readonly status: ProcessStatus | null;
  readonly condition: string | null;
  readonly phase: string | null;
  readonly version: number | null;
  readonly effectiveHash: string | null;
  readonly attemptedVersion: number | null;
  readonly attemptedHash: string | null;
  readonly attempt: number | null;
  readonly reason: string | null;
  readonly problems: ReportedProblem[] | null;
  readonly logTail: string[] | null;
  readonly restarts: number | null;
  readonly uptimeSeconds: number | null;
  readonly gapMs: number | null;
  readonly nextStartAt: Date | null;
  readonly notice: string | null;
  readonly vectorVersion: string | null;
  readonly receivedAt: Date | null;
  readonly validatedAt: Date | null;
  readonly appliedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly lastUpdated: Date | null;
}

/**
 * Every node that shall run a pipeline, or still does, with what it reported: a node that has said nothing yet
 * is there too, waiting.
 */
export function listStatuses(
  em: EntityManager,
  of: { readonly pipelineId: string } | { readonly nodeId: string },
): Promise<StatusView[]> {
  const [column, id] = "pipelineId" in of ? [`p."id"`, of.pipelineId] : [`n."id"`, of.nodeId];
  return em.execute<StatusView[]>(
    `select n."id" as "nodeId", n."name" as "nodeName", n."status" as "nodeStatus", p."id" as "pipelineId",
       p."name" as "pipelineName",
       case when n."maintenanceMode" or not ${selected} then null else p."deployedVersion" end as "desiredVersion",
       ${deliveredHash} as "desiredHash", p."attempt" as "desiredAttempt", s."status", s."condition", s."phase",
       s."version", s."effectiveHash", s."attemptedVersion", s."attemptedHash", s."attempt", s."reason",
       s."problems", s."logTail", s."restarts", s."uptimeSeconds", s."gapMs", s."nextStartAt",
       case when n."maintenanceMode" or not ${selected} then s."notice"
         else concat_ws('; ', p."deliveryProblem" || ': what runs is kept', s."notice") end as "notice",
       s."vectorVersion", s."receivedAt", s."validatedAt", s."appliedAt", s."finishedAt", s."lastUpdated"
     from "Pipeline" p
     join "VectorNode" n on n."environmentId" = p."environmentId" and n."nodeTokenHash" is not null
     left join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
     left join "NodePipelineStatus" s on s."nodeId" = n."id" and s."pipelineId" = p."id"
     where ${column} = ? and ((p."deployedVersion" is not null and ${selected}) or s."id" is not null)
     order by lower(n."name"), n."id", lower(p."name") limit 10000`,
    [id],
  );
}
