import { create } from "@bufbuild/protobuf";
import { status, type Client, type ServiceError } from "@grpc/grpc-js";
import {
  EnrollRequestSchema,
  type EnrollResponse,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { fullJitter } from "#common/backoff.ts";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import { ExpectedError } from "../expected-error.ts";
import type { Identity } from "../state/identity.ts";
import type { HostFacts } from "../telemetry/host-facts.ts";
import { factsToProto } from "./control-proto.ts";
import { enrollMethod } from "./grpc-service.ts";

/** The server does not take this machine; trying again will not help. */
export class EnrollmentRefusedError extends ExpectedError {
  override readonly name = "EnrollmentRefusedError";
}

export interface EnrollmentRequest {
  readonly server: string;
  readonly token: string;
  readonly machineId: string;
  readonly facts: HostFacts;
}

const deadlineMs = 10_000;
const finalCodes = new Set<number>([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
]);

/**
 * Enrolls this machine. Waits for a server that is away, with jitter; throws EnrollmentRefusedError when the
 * server says no.
 */
export async function enroll(
  client: Client,
  request: EnrollmentRequest,
  deps: { readonly clock: Clock; readonly log: Logger; readonly random: () => number },
  signal: AbortSignal,
): Promise<Identity> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const response = await call(client, request);
      return {
        server: request.server,
        installationId: response.installationId,
        nodeId: response.nodeId,
        nodeToken: response.nodeToken,
        environmentId: response.environmentId,
        environmentName: response.environmentName,
      };
    } catch (error) {
      const { code, details } = error as ServiceError;
      if (finalCodes.has(code)) {
        throw new EnrollmentRefusedError(`the server refused to enroll this host: ${details}`, {
          cause: error,
        });
      }
      const pauseMs = fullJitter(attempt, { minMs: 500, maxMs: 30_000 }, deps.random());
      deps.log.warn("cannot enroll yet", { server: request.server, reason: details, pauseMs });
      await deps.clock.sleep(pauseMs, signal);
    }
  }
}

async function call(client: Client, request: EnrollmentRequest): Promise<EnrollResponse> {
  const message = create(EnrollRequestSchema, {
    enrollmentToken: request.token,
    machineId: request.machineId,
    host: factsToProto(request.facts),
  });
  const { promise, resolve, reject } = Promise.withResolvers<EnrollResponse>();
  client.makeUnaryRequest(
    enrollMethod.path,
    enrollMethod.serialize,
    enrollMethod.deserialize,
    message,
    { deadline: Date.now() + deadlineMs },
    (error: ServiceError | null, response?: EnrollResponse) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error("the server sent no answer"));
    },
  );
  return promise;
}
