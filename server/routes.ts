import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "#gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "#gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { AuditService } from "#gen/vectorflow/v1/audit_service_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { ComponentSchemaService } from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { ImportService } from "#gen/vectorflow/v1/import_service_pb.ts";
import { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";
import { LifecycleService } from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { LogService } from "#gen/vectorflow/v1/log_service_pb.ts";
import { MetricService } from "#gen/vectorflow/v1/metric_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { PreviewService } from "#gen/vectorflow/v1/preview_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { SettingsService } from "#gen/vectorflow/v1/settings_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { TrialService } from "#gen/vectorflow/v1/trial_service_pb.ts";
import { SnippetService } from "#gen/vectorflow/v1/snippet_service_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";
import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { auditRpc } from "./audit/audit.rpc.ts";
import { apiTokenRpc } from "./auth/api-token.rpc.ts";
import { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { authRpc } from "./auth/auth.rpc.ts";
import { profileRpc } from "./auth/profile.rpc.ts";
import { userRpc } from "./auth/user.rpc.ts";
import type { ServerDeps } from "./deps.ts";
import { environmentRpc } from "./environments/environment.rpc.ts";
import { nodeRpc } from "./fleet/node.rpc.ts";
import { healthRpc } from "./health/health.rpc.ts";
import { reflectionRpc } from "./health/reflection.rpc.ts";
import { snippetRpc } from "./library/snippet.rpc.ts";
import { templateRpc } from "./library/template.rpc.ts";
import { liveRpc } from "./live/live.rpc.ts";
import { logRpc } from "./logs/log.rpc.ts";
import { metricRpc } from "./metrics/metric.rpc.ts";
import { settingsRpc } from "./oidc/settings.rpc.ts";
import { deliveryRpc } from "./pipelines/delivery/delivery.rpc.ts";
import { importRpc } from "./pipelines/import.rpc.ts";
import { lifecycleRpc } from "./pipelines/life/lifecycle.rpc.ts";
import { pipelineRpc } from "./pipelines/pipeline.rpc.ts";
import { previewRpc } from "./pipelines/preview.rpc.ts";
import { inspectionRpc } from "./sampling/inspection.rpc.ts";
import { componentSchemaRpc } from "./schemas/component-schema.rpc.ts";
import { accessInterceptor } from "./rpc/access-interceptor.ts";
import { errorInterceptor } from "./rpc/error-interceptor.ts";
import { streamLimitInterceptor } from "./rpc/stream-limit.ts";
import { idempotencyInterceptor, replayable } from "./rpc/idempotency-interceptor.ts";
import { trialRpc } from "./trials/trial.rpc.ts";
import { teamRpc } from "./teams/team.rpc.ts";
import { certificateRpc } from "./secrets/certificate.rpc.ts";
import { secretBackendRpc } from "./secrets/backends/secret-backend.rpc.ts";
import { secretRpc } from "./secrets/secret.rpc.ts";
import { variableRpc } from "./variables/variable.rpc.ts";

/** Every service of the user API, in the order of reflection. */
export const userServices: readonly DescService[] = [
  AuthService,
  ProfileService,
  UserService,
  TeamService,
  ApiTokenService,
  AuditService,
  SettingsService,
  EnvironmentService,
  NodeService,
  PipelineService,
  LifecycleService,
  ImportService,
  PreviewService,
  DeliveryService,
  SecretService,
  SecretBackendService,
  CertificateService,
  VariableService,
  TemplateService,
  SnippetService,
  MetricService,
  LogService,
  LiveService,
  InspectionService,
  TrialService,
  ComponentSchemaService,
];

/** The interceptors of all calls; errors outside of the others, so that a denial is converted too. */
export function interceptors(deps: ServerDeps) {
  const awaited: Interceptor = (next) => (request) => deps.background.track(next(request));
  return [
    awaited,
    errorInterceptor(deps.log),
    accessInterceptor(deps),
    streamLimitInterceptor(),
    idempotencyInterceptor(deps),
  ];
}

/** The one list of what is served. */
export function routes(deps: ServerDeps): (router: ConnectRouter) => void {
  const reflected = [...userServices, Health, ServerReflection, ServerReflectionAlpha];
  const reflection = reflectionRpc(reflected);
  const serviceNames = new Set(userServices.map(({ typeName }) => typeName));
  return (plainRouter) => {
    const router = replayable(plainRouter);
    router.service(AuthService, authRpc(deps));
    router.service(ProfileService, profileRpc(deps));
    router.service(UserService, userRpc(deps));
    router.service(TeamService, teamRpc(deps));
    router.service(ApiTokenService, apiTokenRpc(deps));
    router.service(AuditService, auditRpc(deps));
    router.service(SettingsService, settingsRpc(deps));
    router.service(EnvironmentService, environmentRpc(deps));
    router.service(NodeService, nodeRpc(deps));
    router.service(PipelineService, pipelineRpc(deps));
    router.service(LifecycleService, lifecycleRpc(deps));
    router.service(ImportService, importRpc(deps));
    router.service(PreviewService, previewRpc(deps));
    router.service(DeliveryService, deliveryRpc(deps));
    router.service(SecretService, secretRpc(deps));
    router.service(SecretBackendService, secretBackendRpc(deps));
    router.service(CertificateService, certificateRpc(deps));
    router.service(VariableService, variableRpc(deps));
    router.service(TemplateService, templateRpc(deps));
    router.service(SnippetService, snippetRpc(deps));
    router.service(MetricService, metricRpc(deps));
    router.service(LogService, logRpc(deps));
    router.service(LiveService, liveRpc(deps));
    router.service(InspectionService, inspectionRpc(deps));
    router.service(TrialService, trialRpc(deps));
    router.service(ComponentSchemaService, componentSchemaRpc(deps));
    router.service(Health, healthRpc(deps, serviceNames));
    router.service(ServerReflection, reflection);
    // The alpha has the same messages under another package.
    router.service(ServerReflectionAlpha, reflection as never);
  };
}
