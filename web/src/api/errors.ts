import { Code, ConnectError } from "@connectrpc/connect";

import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";

/** What a failure means to a page. The only place that knows Connect's codes. */
export type ErrorKind =
  | "signed_out"
  | "forbidden"
  | "not_found"
  | "invalid"
  | "stale"
  | "conflict"
  | "exhausted"
  | "canceled"
  | "unreachable"
  | "internal";

/** A failure in words, for people. */
export interface UiError {
  readonly kind: ErrorKind;
  readonly message: string;
  /** Stable and machine readable; empty when the server gave none. */
  readonly reason: string;
  readonly violations: readonly { readonly field: string; readonly message: string }[];
}

const kinds: Partial<Record<Code, ErrorKind>> = {
  [Code.Unauthenticated]: "signed_out",
  [Code.PermissionDenied]: "forbidden",
  [Code.NotFound]: "not_found",
  [Code.InvalidArgument]: "invalid",
  [Code.FailedPrecondition]: "invalid",
  [Code.Aborted]: "stale",
  [Code.AlreadyExists]: "conflict",
  [Code.ResourceExhausted]: "exhausted",
  [Code.Canceled]: "canceled",
  [Code.Unavailable]: "unreachable",
  [Code.DeadlineExceeded]: "unreachable",
};

/** Turns anything that was thrown into words. */
export function toUiError(error: unknown): UiError {
  const connectError = ConnectError.from(error);
  const kind = kindOf(connectError);
  const detail = connectError.findDetails(ErrorInfoSchema)[0];
  return {
    kind,
    message: messageOf(kind, connectError, detail?.reason),
    reason: detail?.reason ?? "",
    violations: (detail?.violations ?? []).map(({ field, message }) => ({
      field,
      message: sentence(message),
    })),
  };
}

/** Whether asking again without changing anything can help. */
export function isRetryable(error: unknown): boolean {
  return kindOf(ConnectError.from(error)) === "unreachable";
}

export function isSignedOut(error: unknown): boolean {
  return kindOf(ConnectError.from(error)) === "signed_out";
}

export function isStale(error: unknown): boolean {
  return kindOf(ConnectError.from(error)) === "stale";
}

function kindOf(error: ConnectError): ErrorKind {
  // A lost network arrives as `unknown` around the browser's TypeError, never as `unavailable`.
  if (error.code === Code.Unknown && error.cause instanceof TypeError) return "unreachable";
  return kinds[error.code] ?? "internal";
}

function messageOf(kind: ErrorKind, error: ConnectError, reason: string | undefined): string {
  // With a reason, the server itself says that something behind it cannot be reached.
  if (kind === "unreachable" && !reason) return "The server cannot be reached.";
  if (kind === "internal" || error.rawMessage === "")
    return "The server had an unexpected problem.";
  return sentence(error.rawMessage);
}

/** Messages on the wire start in lower case and have no full stop. */
function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return trimmed;
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
