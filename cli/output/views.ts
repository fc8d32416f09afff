import { TemplateParameterType, type Template } from "#gen/vectorflow/v1/template_pb.ts";
import type { Variable, VariableUse } from "#gen/vectorflow/v1/variable_pb.ts";
import type { VariableEffect } from "#gen/vectorflow/v1/variable_service_pb.ts";
import {
  SecretBackend,
  SecretBackendFailure,
  type SecretBackendHealth,
  type SecretReference,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import type { Node } from "#gen/vectorflow/v1/node_pb.ts";
import {
  PipelineState,
  type NodePipelineStatus,
  type PipelineSummary,
  type Problem,
} from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { ComponentChange } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import type { ReferenceUse, Secret } from "#gen/vectorflow/v1/secret_pb.ts";
import {
  backendName,
  changeName,
  nodeStatusName,
  reachabilityName,
  roleName,
  severityName,
  stateName,
  stepName,
} from "./names.ts";

// What programs get as JSON and YAML: a promise. Fields are added, and never renamed or taken away; every field
// is always there, null or empty when there is nothing.

function timeView(time: Timestamp | undefined): string | null {
  return time === undefined ? null : timestampDate(time).toISOString();
}

/** Where a pipeline is in its life. */
export function pipelineState(summary: PipelineSummary): string {
  if (summary.state === PipelineState.PAUSED) return "paused";
  if (summary.state === PipelineState.UNDEPLOYED) return "undeployed";
  if (summary.deployedVersion === 0) return "not_deployed";
  return summary.changed ? "deployed_with_changes" : "deployed";
}

export function pipelineView(summary: PipelineSummary) {
  return {
    id: summary.id,
    name: summary.name,
    description: summary.description,
    state: pipelineState(summary),
    deployed_version: summary.deployedVersion === 0 ? null : summary.deployedVersion,
    paused_version: summary.pausedVersion === 0 ? null : summary.pausedVersion,
    undeployed_version: summary.undeployedVersion === 0 ? null : summary.undeployedVersion,
    deploy_time: timeView(summary.deployTime),
    update_time: timeView(summary.updateTime),
    updated_by: summary.updatedBy,
    component_count: summary.components.length,
  };
}

export function problemView({ severity, message, componentKey, field, line }: Problem) {
  return {
    severity: severityName(severity),
    component: componentKey,
    field,
    line: line === 0 ? null : line,
    message,
  };
}

export function changeView({ componentKey, kind, fields }: ComponentChange) {
  return { component: componentKey, change: changeName(kind), fields };
}

export function statusView(status: NodePipelineStatus) {
  return {
    node_id: status.nodeId,
    node: status.nodeName,
    reachability: reachabilityName(status.reachability),
    state: stateName(status.state),
    step: stepName(status.step),
    desired_version: status.desiredVersion || null,
    effective_version: status.effectiveVersion || null,
    reason: status.reason,
    notice: status.notice,
    vector_version: status.vectorVersion,
    restarts: status.restarts,
    update_time: timeView(status.updateTime),
  };
}

export function nodeView(node: Node) {
  return {
    id: node.id,
    name: node.name,
    host: node.host,
    status: nodeStatusName(node.status),
    reasons: node.reasons,
    last_seen_time: timeView(node.lastSeenTime),
    agent_version: node.agentVersion,
    vector_version: node.vectorVersion,
    simulated: node.simulated,
    os: node.os,
    maintenance: node.maintenance,
    revoked: node.revoked,
    labels: node.labels,
    pipelines_running: node.pipelinesRunning,
    pipelines_total: node.pipelinesTotal,
  };
}

export function environmentView(environment: Environment) {
  return {
    id: environment.id,
    name: environment.name,
    team: environment.teamName,
    role: roleName(environment.role),
    node_count: environment.nodeCount,
    pipeline_count: environment.pipelineCount,
  };
}

export function useView({ pipelineName, draft, deployed }: ReferenceUse) {
  return { pipeline: pipelineName, draft, deployed };
}

export function secretView(secret: Secret) {
  return {
    id: secret.id,
    name: secret.name,
    create_time: timeView(secret.createTime),
    update_time: timeView(secret.updateTime),
    uses: secret.uses.map(useView),
    // Of secrets whose values a backend keeps; null for those that are kept here.
    reference: referenceView(secret.reference),
    read_time: timeView(secret.readTime),
    failure: failureNames[secret.failure] ?? null,
  };
}

/** Where an environment keeps the values of its secrets. */
export function backendView(health: SecretBackendHealth | undefined) {
  return {
    kind: backendName(health?.backend ?? SecretBackend.BUILTIN),
    check_time: timeView(health?.checkTime),
    failure: failureNames[health?.failure ?? SecretBackendFailure.UNSPECIFIED] ?? null,
    failing_since_time: timeView(health?.failingSinceTime),
  };
}

export function templateView(template: Template) {
  return {
    id: template.id,
    name: template.name,
    description: template.description,
    category: template.category,
    built_in: template.builtIn,
    components: template.componentTypes,
    parameters: template.parameters.map((parameter) => ({
      name: parameter.name,
      description: parameter.description,
      type: parameterTypes[parameter.type] ?? "text",
      default: parameter.default,
      required: parameter.required,
    })),
  };
}

const parameterTypes: Partial<Record<TemplateParameterType, string>> = {
  [TemplateParameterType.TEXT]: "text",
  [TemplateParameterType.NUMBER]: "number",
  [TemplateParameterType.BOOLEAN]: "boolean",
  [TemplateParameterType.SECRET]: "secret",
};

export function variableView(variable: Variable) {
  return {
    id: variable.id,
    name: variable.name,
    value: variable.value,
    description: variable.description,
    create_time: timeView(variable.createTime),
    update_time: timeView(variable.updateTime),
    uses: variable.uses.map(variableUseView),
  };
}

export function variableUseView({ pipelineName, draft, deployed, deployedValue }: VariableUse) {
  return {
    pipeline: pipelineName,
    draft,
    deployed,
    deployed_value: deployed ? deployedValue : null,
  };
}

export function effectView(effect: VariableEffect) {
  const { name, componentKeys, errors, failedTests, nodeCount } = effect;
  return {
    pipeline: name,
    components: componentKeys,
    errors,
    failed_tests: failedTests,
    hosts: nodeCount,
  };
}

function referenceView(reference: SecretReference | undefined) {
  if (reference === undefined) return null;
  const { path, key, version } = reference;
  return { path, key, version };
}

const failureNames: Partial<Record<SecretBackendFailure, string>> = {
  [SecretBackendFailure.SETTINGS]: "settings",
  [SecretBackendFailure.ADDRESS]: "address",
  [SecretBackendFailure.TLS]: "tls",
  [SecretBackendFailure.SIGN_IN]: "sign_in",
  [SecretBackendFailure.PERMISSION]: "permission",
  [SecretBackendFailure.PATH]: "path",
  [SecretBackendFailure.UNAVAILABLE]: "unavailable",
  [SecretBackendFailure.ANSWER]: "answer",
};
