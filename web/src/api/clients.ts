import { createClient, type Client, type Transport } from "@connectrpc/connect";

import { ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { AuditService } from "#gen/vectorflow/v1/audit_service_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";
import { ImportService } from "#gen/vectorflow/v1/import_service_pb.ts";
import { LifecycleService } from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { LogService } from "#gen/vectorflow/v1/log_service_pb.ts";
import { MetricService } from "#gen/vectorflow/v1/metric_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { SettingsService } from "#gen/vectorflow/v1/settings_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { TrialService } from "#gen/vectorflow/v1/trial_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { PreviewService } from "#gen/vectorflow/v1/preview_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";

/** The services of the user API; those of lazy pages come by `useClient`. */
export interface Clients {
  readonly auth: Client<typeof AuthService>;
  readonly profile: Client<typeof ProfileService>;
  readonly users: Client<typeof UserService>;
  readonly teams: Client<typeof TeamService>;
  readonly apiTokens: Client<typeof ApiTokenService>;
  readonly settings: Client<typeof SettingsService>;
  readonly audit: Client<typeof AuditService>;
  readonly environments: Client<typeof EnvironmentService>;
  readonly nodes: Client<typeof NodeService>;
  readonly pipelines: Client<typeof PipelineService>;
  readonly imports: Client<typeof ImportService>;
  readonly previews: Client<typeof PreviewService>;
  readonly lifecycle: Client<typeof LifecycleService>;
  readonly delivery: Client<typeof DeliveryService>;
  readonly secrets: Client<typeof SecretService>;
  readonly certificates: Client<typeof CertificateService>;
  readonly metrics: Client<typeof MetricService>;
  readonly logs: Client<typeof LogService>;
  readonly live: Client<typeof LiveService>;
  readonly inspection: Client<typeof InspectionService>;
  readonly trials: Client<typeof TrialService>;
}

export function createClients(transport: Transport): Clients {
  return {
    auth: createClient(AuthService, transport),
    profile: createClient(ProfileService, transport),
    users: createClient(UserService, transport),
    teams: createClient(TeamService, transport),
    apiTokens: createClient(ApiTokenService, transport),
    settings: createClient(SettingsService, transport),
    audit: createClient(AuditService, transport),
    environments: createClient(EnvironmentService, transport),
    nodes: createClient(NodeService, transport),
    pipelines: createClient(PipelineService, transport),
    imports: createClient(ImportService, transport),
    previews: createClient(PreviewService, transport),
    lifecycle: createClient(LifecycleService, transport),
    delivery: createClient(DeliveryService, transport),
    secrets: createClient(SecretService, transport),
    certificates: createClient(CertificateService, transport),
    metrics: createClient(MetricService, transport),
    logs: createClient(LogService, transport),
    live: createClient(LiveService, transport),
    inspection: createClient(InspectionService, transport),
    trials: createClient(TrialService, transport),
  };
}
