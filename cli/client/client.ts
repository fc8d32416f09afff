import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  createClient,
  type Client,
  type Interceptor,
} from "@connectrpc/connect";
import { Http2SessionManager, createGrpcTransport } from "@connectrpc/connect-node";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { ImportService } from "#gen/vectorflow/v1/import_service_pb.ts";
import { LifecycleService } from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";
import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";
import { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";
import { PreviewService } from "#gen/vectorflow/v1/preview_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { version } from "#common/version.ts";
import { TrialService } from "#gen/vectorflow/v1/trial_service_pb.ts";
import type { Connection } from "../config.ts";

/** The services of a server, spoken to by gRPC with a token. */
export interface ApiClient extends Disposable {
  readonly baseUrl: string;
  readonly pipelines: Client<typeof PipelineService>;
  readonly imports: Client<typeof ImportService>;
  readonly previews: Client<typeof PreviewService>;
  readonly lifecycle: Client<typeof LifecycleService>;
  readonly delivery: Client<typeof DeliveryService>;
  readonly nodes: Client<typeof NodeService>;
  readonly secrets: Client<typeof SecretService>;
  readonly secretBackends: Client<typeof SecretBackendService>;
  readonly variables: Client<typeof VariableService>;
  readonly templates: Client<typeof TemplateService>;
  readonly environments: Client<typeof EnvironmentService>;
  readonly live: Client<typeof LiveService>;
  readonly trials: Client<typeof TrialService>;
}

/** The check of a text of 5 MB takes its time; a connection that died is noticed by its pings before that. */
const callTimeoutMs = 120_000;
const retryDelaysMs = [200, 1_000];

/** Opens no connection yet: the first call does. Every call ends with the signal. */
export function createApiClient(connection: Connection, signal: AbortSignal): ApiClient {
  const { baseUrl, ca } = connection;
  // A connection that died without a word is noticed while something is open on it.
  const pings = { pingIntervalMs: 15_000, pingTimeoutMs: 10_000 };
  const sessionManager = new Http2SessionManager(baseUrl, pings, ca === undefined ? {} : { ca });
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    defaultTimeoutMs: callTimeoutMs,
    interceptors: [identify(connection.token), endAndRepeat(signal)],
  });
  return {
    baseUrl,
    pipelines: createClient(PipelineService, transport),
    imports: createClient(ImportService, transport),
    previews: createClient(PreviewService, transport),
    lifecycle: createClient(LifecycleService, transport),
    delivery: createClient(DeliveryService, transport),
    nodes: createClient(NodeService, transport),
    secrets: createClient(SecretService, transport),
    secretBackends: createClient(SecretBackendService, transport),
    variables: createClient(VariableService, transport),
    templates: createClient(TemplateService, transport),
    environments: createClient(EnvironmentService, transport),
    live: createClient(LiveService, transport),
    trials: createClient(TrialService, transport),
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

/** Says who calls, and gives every call that changes something a key, so that it can be sent again. */
function identify(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    request.header.set("user-agent", `vectorflow-cli/${version}`);
    const reads = request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    if (!reads) request.header.set("idempotency-key", randomUUID());
    return next(request);
  };
}

/**
 * Ends calls with the program, and sends a call again when the server could not be reached. That is safe for a
 * change too: its key is the same, so that the server answers a repeat with what it answered first.
 */
function endAndRepeat(signal: AbortSignal): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return next(request);
    const bound = { ...request, signal: AbortSignal.any([request.signal, signal]) };
    for (const waitMs of retryDelaysMs) {
      try {
        return await next(bound);
      } catch (error) {
        if (ConnectError.from(error).code !== Code.Unavailable || signal.aborted) throw error;
        await delay(waitMs, undefined, { signal });
      }
    }
    return next(bound);
  };
}
