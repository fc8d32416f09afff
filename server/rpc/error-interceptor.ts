import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import type { Logger } from "#common/logger.ts";
import { SealError } from "../crypto/sealer.ts";
import { DomainError, type ErrorKind } from "../errors.ts";

const codes = {
  not_found: Code.NotFound,
  conflict: Code.AlreadyExists,
  invalid: Code.InvalidArgument,
  forbidden: Code.PermissionDenied,
  unauthenticated: Code.Unauthenticated,
  stale: Code.Aborted,
  precondition: Code.FailedPrecondition,
  unavailable: Code.Unavailable,
  exhausted: Code.ResourceExhausted,
} satisfies Record<ErrorKind, Code>;

/** Turns what use cases throw into codes. The text of anything unforeseen is logged and never sent. */
export function errorInterceptor(log: Logger): Interceptor {
  const convert = (error: unknown, rpc: string, signal: AbortSignal): ConnectError => {
    if (error instanceof ConnectError) return error;
    if (error instanceof DomainError) {
      const { reason, violations } = error;
      return new ConnectError(error.message, codes[error.kind], undefined, [
        { desc: ErrorInfoSchema, value: { reason, violations: [...violations] } },
      ]);
    }
    if (error instanceof SealError) {
      // Nothing is let through that cannot be checked, and whoever runs the server hears why (X9).
      log.error("a stored value cannot be decrypted", { rpc, error });
      return new ConnectError(error.message, Code.FailedPrecondition, undefined, [
        { desc: ErrorInfoSchema, value: { reason: "cannot_decrypt" } },
      ]);
    }
    if (signal.aborted) {
      const cause: unknown = signal.reason;
      return cause instanceof ConnectError
        ? cause
        : new ConnectError("the call ended", Code.Canceled);
    }
    log.error("call failed", { rpc, error });
    return new ConnectError("internal error", Code.Internal);
  };
  return (next) => async (request) => {
    const rpc = `${request.service.typeName}/${request.method.name}`;
    try {
      const response = await next(request);
      if (!response.stream) return response;
      const messages = response.message;
      const guarded = async function* (): AsyncGenerator {
        try {
          yield* messages;
        } catch (error) {
          throw convert(error, rpc, request.signal);
        }
      };
      return { ...response, message: guarded() } as typeof response;
    } catch (error) {
      throw convert(error, rpc, request.signal);
    }
  };
}
