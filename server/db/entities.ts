import { Account } from "../auth/account.entity.ts";
import { ApiToken } from "../auth/api-token.entity.ts";
import { Session } from "../auth/session.entity.ts";
import { User } from "../auth/user.entity.ts";
import { AlertEvent } from "../alerts/alert-event.entity.ts";
import { AlertRule } from "../alerts/alert-rule.entity.ts";
import { AlertWebhook } from "../alerts/alert-webhook.entity.ts";
import { AuditLog } from "../audit/audit-log.entity.ts";
import { Environment } from "../environments/environment.entity.ts";
import { NodePipelineStatus } from "../fleet/node-pipeline-status.entity.ts";
import { VectorNode } from "../fleet/vector-node.entity.ts";
import { Template } from "../library/template.entity.ts";
import { VrlSnippet } from "../library/vrl-snippet.entity.ts";
import { PipelineLog } from "../logs/pipeline-log.entity.ts";
import { NodeMetric } from "../metrics/node-metric.entity.ts";
import { PipelineMetric } from "../metrics/pipeline-metric.entity.ts";
import { HostCheckAnswer } from "../host-checks/host-check-answer.entity.ts";
import { HostCheck } from "../host-checks/host-check.entity.ts";
import { PipelineEdge } from "../pipelines/pipeline-edge.entity.ts";
import { PipelineNode } from "../pipelines/pipeline-node.entity.ts";
import { PipelineVersion } from "../pipelines/pipeline-version.entity.ts";
import { Pipeline } from "../pipelines/pipeline.entity.ts";
import { IdempotencyKey } from "../rpc/idempotency-key.entity.ts";
import { EventSampleRequest } from "../sampling/event-sample-request.entity.ts";
import { EventSample } from "../sampling/event-sample.entity.ts";
import { ComponentSchema } from "../schemas/component-schema.entity.ts";
import { Certificate } from "../secrets/certificate.entity.ts";
import { Secret } from "../secrets/secret.entity.ts";
import { SystemSettings } from "../settings/system-settings.entity.ts";
import { TeamMember } from "../teams/team-member.entity.ts";
import { Team } from "../teams/team.entity.ts";
import { Variable } from "../variables/variable.entity.ts";

/** Every table of the product, in the order of the published data model. */
export const entities = [
  User,
  Team,
  TeamMember,
  Environment,
  VectorNode,
  Pipeline,
  PipelineNode,
  PipelineEdge,
  PipelineVersion,
  NodePipelineStatus,
  PipelineMetric,
  NodeMetric,
  PipelineLog,
  Secret,
  Certificate,
  Template,
  AuditLog,
  SystemSettings,
  AlertRule,
  AlertWebhook,
  AlertEvent,
  VrlSnippet,
  EventSampleRequest,
  EventSample,
  Account,
  Session,
  ComponentSchema,
  ApiToken,
  IdempotencyKey,
  Variable,
  HostCheck,
  HostCheckAnswer,
];
