/** The enums of the published data model, as native PostgreSQL enums of the same names. */
export const Role = { VIEWER: "VIEWER", EDITOR: "EDITOR", ADMIN: "ADMIN" } as const;
export type Role = keyof typeof Role;

export const AuthMethod = { LOCAL: "LOCAL", OIDC: "OIDC" } as const;
export type AuthMethod = keyof typeof AuthMethod;

export const NodeStatus = {
  HEALTHY: "HEALTHY",
  DEGRADED: "DEGRADED",
  UNREACHABLE: "UNREACHABLE",
  UNKNOWN: "UNKNOWN",
} as const;
export type NodeStatus = keyof typeof NodeStatus;

export const DeploymentMode = {
  STANDALONE: "STANDALONE",
  DOCKER: "DOCKER",
  UNKNOWN: "UNKNOWN",
} as const;
export type DeploymentMode = keyof typeof DeploymentMode;

export const ComponentKind = { SOURCE: "SOURCE", TRANSFORM: "TRANSFORM", SINK: "SINK" } as const;
export type ComponentKind = keyof typeof ComponentKind;

export const ProcessStatus = {
  RUNNING: "RUNNING",
  STARTING: "STARTING",
  STOPPED: "STOPPED",
  CRASHED: "CRASHED",
  PENDING: "PENDING",
} as const;
export type ProcessStatus = keyof typeof ProcessStatus;

export const LogLevel = {
  TRACE: "TRACE",
  DEBUG: "DEBUG",
  INFO: "INFO",
  WARN: "WARN",
  ERROR: "ERROR",
} as const;
export type LogLevel = keyof typeof LogLevel;

export const SecretBackend = {
  BUILTIN: "BUILTIN",
  VAULT: "VAULT",
  AWS_SM: "AWS_SM",
  EXEC: "EXEC",
} as const;
export type SecretBackend = keyof typeof SecretBackend;

export const AlertMetric = {
  node_unreachable: "node_unreachable",
  cpu_usage: "cpu_usage",
  memory_usage: "memory_usage",
  disk_usage: "disk_usage",
  error_rate: "error_rate",
  discarded_rate: "discarded_rate",
  pipeline_crashed: "pipeline_crashed",
} as const;
export type AlertMetric = keyof typeof AlertMetric;

export const AlertCondition = { gt: "gt", lt: "lt", eq: "eq" } as const;
export type AlertCondition = keyof typeof AlertCondition;

export const AlertStatus = { firing: "firing", resolved: "resolved" } as const;
export type AlertStatus = keyof typeof AlertStatus;
