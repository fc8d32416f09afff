import {
  ComponentKind,
  DeployStep,
  NodeReachability,
  ProcessState,
  Severity,
} from "#gen/vectorflow/v1/pipeline_pb.ts";
import { ChangeKind, DeployEffect } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { HostVerdict } from "#gen/vectorflow/v1/preview_service_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { SelectorOperator } from "#gen/vectorflow/v1/delivery_pb.ts";
import { SecretBackend } from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

/** The name of a value, as in `rolled_back`; `unknown` for one that a newer server has. */
function namer(values: Readonly<Record<string, number>>): (value: number) => string {
  const names = new Map(
    Object.entries(values).map(([name, value]) => [
      value,
      value === 0 ? "unknown" : name.toLowerCase(),
    ]),
  );
  return (value) => names.get(value) ?? "unknown";
}

export const severityName = namer(Severity);
export const kindName = namer(ComponentKind);
export const changeName = namer(ChangeKind);
export const verdictName = namer(HostVerdict);
export const effectName = namer(DeployEffect);
export const stateName = namer(ProcessState);
export const stepName = namer(DeployStep);
export const reachabilityName = namer(NodeReachability);
export const nodeStatusName = namer(NodeStatus);
export const operatorName = namer(SelectorOperator);
export const roleName = namer(Role);
export const backendName = namer(SecretBackend);

/** The operator of a name, as in `not_equals`. */
export function operatorOf(name: string): SelectorOperator | undefined {
  const [, value] =
    Object.entries(SelectorOperator).find(
      ([key, number]) => number !== 0 && key.toLowerCase() === name,
    ) ?? [];
  return value;
}
