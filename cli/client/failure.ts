import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { CliError, exitCodes } from "../failures.ts";

/** The stable reason that the server gives, as in `pipeline_name_taken`; empty when there is none. */
export function reasonOf(error: ConnectError): string {
  return error.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
}

/** What a call failed with, in words of this program. Anything that is no failed call is returned as it is. */
export function toCliError(error: unknown, baseUrl: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  const options = { cause: error };
  switch (error.code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return new CliError(
        `the server at ${baseUrl} cannot be reached: ${error.rawMessage}`,
        exitCodes.noAccess,
        options,
      );
    case Code.Unauthenticated:
      return new CliError(
        `the server does not accept the API token: ${error.rawMessage}`,
        exitCodes.noAccess,
        options,
      );
    case Code.PermissionDenied:
      return new CliError(
        `the token may not do this: ${error.rawMessage}`,
        exitCodes.failed,
        options,
      );
    default: {
      if (isTransportFailure(error)) {
        return new CliError(
          `the server at ${baseUrl} cannot be spoken to: ${error.rawMessage}`,
          exitCodes.noAccess,
          options,
        );
      }
      const [info] = error.findDetails(ErrorInfoSchema);
      const fields = (info?.violations ?? [])
        .slice(1)
        .map(({ field, message }) => `${field} ${message}`);
      return new CliError([error.rawMessage, ...fields].join("\n  "), exitCodes.failed, options);
    }
  }
}

/** A broken handshake has no status of gRPC: what Node threw is its cause. */
function isTransportFailure(error: ConnectError): boolean {
  return (
    error.cause instanceof Error &&
    "code" in error.cause &&
    typeof error.cause.code === "string" &&
    error.findDetails(ErrorInfoSchema).length === 0
  );
}
