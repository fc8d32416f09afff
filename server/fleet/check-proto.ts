import { create, toBinary } from "@bufbuild/protobuf";
import { SessionResponseSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { OpenedReferences } from "../secrets/opened.ts";

/** The order to check a configuration, as the bytes that every host gets. */
export function checkOrder(
  checkId: string,
  body: { readonly pipelineId: string; readonly configYaml: string },
  { secrets, certificates }: OpenedReferences,
  options: { readonly timeLimitMs: number; readonly runTests: boolean },
): Buffer {
  const value = {
    checkId,
    ...options,
    body: {
      ...body,
      secrets: Object.fromEntries(secrets),
      certificates: certificates.map((certificate) => ({ ...certificate })),
    },
  };
  const message = create(SessionResponseSchema, { message: { case: "checkConfig", value } });
  return Buffer.from(toBinary(SessionResponseSchema, message));
}
