import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { AgentHub, HubSession } from "../fleet/agent-hub.ts";
import type { Scope } from "../scope.ts";

/** What agents can do beyond the first version, as VectorNode.capabilities names it. */
export type InspectionCapability = "SAMPLE" | "TAP" | "TERMINAL";

/** A pipeline that runs on a host whose agent can be asked. */
export interface Inspectable {
  readonly pipelineId: string;
  readonly pipelineName: string;
  readonly environmentId: string;
  readonly teamId: string;
  readonly nodeId: string;
  readonly nodeName: string;
}

interface Row {
  readonly pipelineName: string;
  readonly environmentId: string;
  readonly teamId: string;
  readonly nodeName: string;
  readonly nodeStatus: string;
  readonly capabilities: readonly string[];
  readonly process: string | null;
}

const purposes: Readonly<Record<InspectionCapability, string>> = {
  SAMPLE: "sample events",
  TAP: "tap events",
  TERMINAL: "open vector top",
};

/** Throws what is in the way, in words, when the host cannot be asked now. */
export async function findInspectable(
  scope: Scope,
  pipelineId: string,
  nodeId: string,
  capability: InspectionCapability,
): Promise<Inspectable> {
  const [row] = await scope.em.execute<Row[]>(
    `select p."name" as "pipelineName", p."environmentId", e."teamId", n."name" as "nodeName",
       n."status"::text as "nodeStatus", n."capabilities", s."status"::text as "process"
     from "Pipeline" p join "Environment" e on e."id" = p."environmentId"
     join "VectorNode" n on n."environmentId" = p."environmentId"
     left join "NodePipelineStatus" s on s."nodeId" = n."id" and s."pipelineId" = p."id"
     where p."id" = ? and n."id" = ?`,
    [pipelineId, nodeId],
  );
  if (row === undefined) throw notFound("node", nodeId);
  const { nodeName, nodeStatus, capabilities, process, ...facts } = row;
  if (nodeStatus !== "HEALTHY" && nodeStatus !== "DEGRADED") {
    throw offline(nodeName);
  }
  if (!capabilities.includes(capability)) {
    throw new DomainError(
      "precondition",
      "agent_too_old",
      `the agent on ${nodeName} cannot ${purposes[capability]}: update the agent`,
    );
  }
  if (process !== "RUNNING") {
    throw new DomainError(
      "precondition",
      "pipeline_not_running",
      `${facts.pipelineName} does not run on ${nodeName}`,
    );
  }
  return { pipelineId, nodeId, nodeName, ...facts };
}

function offline(nodeName: string): DomainError {
  return new DomainError("precondition", "node_offline", `${nodeName} is not connected`);
}

/** The session of a host that is connected; throws when another replica has it. */
export function sessionOn(hub: AgentHub, target: Inspectable): HubSession {
  const session = hub.session(target.nodeId);
  if (session !== undefined) return session;
  throw new DomainError(
    "unavailable",
    "other_replica",
    `${target.nodeName} is connected to another replica of the server: try again, or take a sample, which works from everywhere`,
  );
}

const maxComponents = 10;

/** Component keys of a request, without repeats. Throws a violation when there are none or too many. */
export function componentKeysOf(keys: readonly string[]): readonly string[] {
  const violations = new FieldViolations();
  const unique = [...new Set(keys)];
  if (unique.length === 0) violations.add("component_keys", "is required");
  if (unique.length > maxComponents) {
    violations.add("component_keys", `must name at most ${maxComponents} components`);
  }
  if (unique.some((key) => key === "" || key.length > 200 || key.includes("\0"))) {
    violations.add("component_keys", "must have 1 to 200 characters each");
  }
  violations.throwIfAny();
  return unique;
}

/** A number of a request; zero means that none was given. */
export function boundedNumber(
  field: string,
  value: number,
  fallback: number,
  minimum: number,
  maximum: number,
): number {
  if (value === 0) return fallback;
  const violations = new FieldViolations();
  if (value < minimum || value > maximum) {
    violations.add(field, `must be from ${minimum} to ${maximum}`);
  }
  violations.throwIfAny();
  return value;
}
