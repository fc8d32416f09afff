import { create } from "@bufbuild/protobuf";
import { Metadata, status, type Client, type ServiceError } from "@grpc/grpc-js";
import {
  EnrollRequestSchema,
  SessionRequestSchema,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { enrollMethod, sessionMethod } from "./grpc-service.ts";

export type Credential =
  | { readonly kind: "node"; readonly token: string }
  | { readonly kind: "enrollment"; readonly token: string }
  | { readonly kind: "none" };

export interface ProbeAnswer {
  /**
   * `accepted` and `refused` are about the token; `foreign`: something answers that is no agent plane;
   * `unreachable`: nothing answered.
   */
  readonly kind: "accepted" | "refused" | "foreign" | "unreachable";
  readonly details: string;
  /** How far the server's clock is ahead of this one, in milliseconds; undefined when it told no time. */
  readonly clockAheadMs: number | undefined;
  readonly roundTripMs: number;
}

const probeMs = 10_000;
/** HTTP's date counts whole seconds, so that the time it means is half a second later on average. */
const dateHalfMs = 500;

/**
 * Asks the server about a token without using it up: a session that begins with something else than Hello, or an
 * enrollment of a machine without an id. Both are refused as invalid, but only after the token was looked at.
 */
export async function probe(client: Client, credential: Credential): Promise<ProbeAnswer> {
  const startedAt = Date.now();
  const started = performance.now();
  const { error, headers } = await (credential.kind === "enrollment"
    ? callEnroll(client, credential.token)
    : callSession(client, credential.kind === "node" ? credential.token : ""));
  const roundTripMs = performance.now() - started;
  const [date] = [headers, error?.metadata].flatMap((metadata) => metadata?.get("date") ?? []);
  const serverTime = date === undefined ? Number.NaN : Date.parse(String(date)) + dateHalfMs;
  const ahead = serverTime - (startedAt + roundTripMs / 2);
  return {
    kind: kindOf(error?.code, credential),
    details: error?.details ?? "",
    clockAheadMs: Number.isNaN(ahead) ? undefined : ahead,
    roundTripMs,
  };
}

function kindOf(code: status | undefined, credential: Credential): ProbeAnswer["kind"] {
  switch (code) {
    case status.INVALID_ARGUMENT:
      return credential.kind === "none" ? "foreign" : "accepted";
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return "refused";
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
    case status.INTERNAL:
      return "unreachable";
    default:
      return "foreign";
  }
}

interface Outcome {
  readonly error: ServiceError | undefined;
  readonly headers: Metadata | undefined;
}

function callSession(client: Client, token: string): Promise<Outcome> {
  const metadata = new Metadata();
  if (token !== "") metadata.set("authorization", `Bearer ${token}`);
  const call = client.makeBidiStreamRequest(
    sessionMethod.path,
    sessionMethod.serialize,
    sessionMethod.deserialize,
    metadata,
    { deadline: Date.now() + probeMs },
  );
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let headers: Metadata | undefined;
  call.on("metadata", (received: Metadata) => (headers = received));
  call.on("data", () => call.cancel());
  call.once("error", (error: ServiceError) => resolve({ error, headers }));
  call.once("end", () => resolve({ error: undefined, headers }));
  call.write(create(SessionRequestSchema, {}));
  return promise;
}

function callEnroll(client: Client, token: string): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let headers: Metadata | undefined;
  const call = client.makeUnaryRequest(
    enrollMethod.path,
    enrollMethod.serialize,
    enrollMethod.deserialize,
    create(EnrollRequestSchema, { enrollmentToken: token }),
    { deadline: Date.now() + probeMs },
    (error: ServiceError | null) => resolve({ error: error ?? undefined, headers }),
  );
  call.on("metadata", (received: Metadata) => (headers = received));
  return promise;
}
