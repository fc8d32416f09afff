import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { NodeStatus, type HostPolicySchema, type NodeSchema } from "#gen/vectorflow/v1/node_pb.ts";
import { describePolicy } from "#common/policy/describe-policy.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import type { NodeView } from "./nodes.ts";
import type { ReportedPolicy, Usage } from "./vector-node.entity.ts";

const statuses = {
  HEALTHY: NodeStatus.HEALTHY,
  DEGRADED: NodeStatus.DEGRADED,
  UNREACHABLE: NodeStatus.UNREACHABLE,
  UNKNOWN: NodeStatus.UNKNOWN,
} satisfies Record<NodeView["status"], NodeStatus>;

export function nodeToProto(node: NodeView): Exclude<MessageInitShape<typeof NodeSchema>, Message> {
  const { metadata, usage } = node;
  return {
    id: node.id,
    name: node.name,
    host: node.host,
    environmentId: node.environmentId,
    status: statuses[node.status],
    reasons: node.statusReasons,
    ...optionalTime("lastSeenTime", node.lastSeen),
    ...optionalTime("enrollTime", node.enrolledAt),
    agentVersion: node.agentVersion ?? "",
    vectorVersion: node.vectorVersion ?? "",
    simulated: metadata?.simulated ?? false,
    os: node.os ?? "",
    osRelease: metadata?.osRelease ?? "",
    maintenance: node.maintenanceMode,
    ...optionalTime("maintenanceTime", node.maintenanceModeAt),
    revoked: node.revoked,
    labels: node.labels,
    reportedLabels: metadata?.reportedLabels ?? {},
    pipelinesRunning: node.pipelinesRunning,
    pipelinesTotal: node.pipelinesTotal,
    ...(usage === null ? {} : { usage: usageToProto(usage) }),
    fenced: node.fenced,
    cpuCount: metadata?.cpuCount ?? 0,
  };
}

export function policyToProto({
  path,
  policy,
  problem,
}: ReportedPolicy): Exclude<MessageInitShape<typeof HostPolicySchema>, Message> {
  const rules = policy === null ? [] : describePolicy(policy);
  return { path, problem, rules: rules.map(({ title, text }) => ({ title, text })) };
}

function usageToProto({ time, ...numbers }: Usage) {
  return { ...numbers, ...optionalTime("time", time) };
}
