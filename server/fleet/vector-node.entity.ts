import { defineEntity, p } from "@mikro-orm/core";
import type { HostPolicy } from "#common/policy/policy.ts";
import { createdAt, id, json, moment } from "../db/columns.ts";
import { DeploymentMode, NodeStatus } from "../db/enums.ts";
import { Environment } from "../environments/environment.entity.ts";

/** The newest host metrics, kept on the node so that a list needs no look into the series. */
export interface Usage {
  readonly time: string;
  readonly cpuRatio: number;
  readonly memoryTotalBytes: number;
  readonly memoryUsedBytes: number;
  readonly diskTotalBytes: number;
  readonly diskUsedBytes: number;
  readonly load1: number;
}

/** Facts that the agent reports of its host. */
export interface NodeMetadata {
  readonly machineId?: string;
  readonly osRelease?: string;
  readonly simulated?: boolean;
  readonly cpuCount?: number;
  readonly vectorProblem?: string;
  readonly reportedLabels?: Record<string, string>;
}

/** The host's own rules, as its agent reported them. */
export interface ReportedPolicy {
  readonly path: string;
  /** Null when this server cannot read it. */
  readonly policy: HostPolicy | null;
  readonly problem: string;
}

const VectorNodeSchema = defineEntity({
  name: "VectorNode",
  comment: "An agent node registered in an environment.",
  uniques: [
    { name: "VectorNode_environmentId_machineId_key", properties: ["environmentId", "machineId"] },
  ],
  indexes: [{ name: "VectorNode_environmentId_idx", properties: ["environmentId"] }],
  properties: {
    id: id(),
    name: p.text(),
    host: p.text(),
    apiPort: p.integer().default(8686),
    environmentId: () =>
      p
        .manyToOne(Environment)
        .mapToPk()
        .fieldName("environmentId")
        .deleteRule("cascade")
        .index(false),
    status: p
      .enum(() => NodeStatus)
      .nativeEnumName("NodeStatus")
      .default("UNKNOWN"),
    statusReasons: json<string[]>()
      .default("[]")
      .comment("Why the status is not HEALTHY; worst first."),
    lastSeen: moment().nullable(),
    metadata: json<NodeMetadata>().nullable(),
    nodeTokenHash: p.text().nullable().hidden().unique("VectorNode_nodeTokenHash_key"),
    enrolledAt: moment().nullable(),
    lastHeartbeat: moment().nullable(),
    agentVersion: p.text().nullable(),
    vectorVersion: p.text().nullable(),
    os: p.text().nullable(),
    deploymentMode: p
      .enum(() => DeploymentMode)
      .nativeEnumName("DeploymentMode")
      .default("UNKNOWN"),
    maintenanceMode: p.boolean().default(false),
    maintenanceModeAt: moment().nullable(),
    pendingAction: json<Record<string, unknown>>().nullable(),
    machineId: p.text().comment("Stable id of the agent's installation on its machine."),
    labels: json<Record<string, string>>()
      .default("{}")
      .comment("Set on the server; these select."),
    usage: json<Usage>().nullable(),
    generation: p.bigint("number").default(0).comment("Added to the environment's generation."),
    reportedGeneration: p
      .bigint("number")
      .default(0)
      .comment("The highest that the agent accepted."),
    fenced: p.boolean().default(false).comment("The agent ignores this server's desired state."),
    lostLogLines: p.bigint("number").default(0).comment("Log lines that the agent had to drop."),
    hostPolicy: json<ReportedPolicy>()
      .nullable()
      .comment("The host's own rules, as its agent reported them; the server cannot change them."),
    capabilities: json<string[]>()
      .default("[]")
      .comment("What the agent said it can do, at its last Hello."),
    sessionId: p.text().nullable().comment("Of the session that lives, on whichever replica."),
    sessionMachine: p
      .text()
      .nullable()
      .comment(
        "Which machine, in which boot, holds that session: a copied disk is told apart by it.",
      ),
    changedAt: moment().defaultRaw("now()").comment("Any change that people can see."),
    createdAt: createdAt(),
  },
});

export class VectorNode extends VectorNodeSchema.class {}
VectorNodeSchema.setClass(VectorNode);
