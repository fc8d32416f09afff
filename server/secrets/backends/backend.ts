/** Where a secret is in its environment's backend. Empty texts are not given. */
export interface SecretReference {
  readonly path: string;
  readonly key: string;
  readonly version: string;
}

/** What a backend could not do, in the order in which a call gets there. */
export const failureKinds = [
  "settings",
  "address",
  "tls",
  "sign_in",
  "permission",
  "path",
  "unavailable",
  "answer",
] as const;
export type FailureKind = (typeof failureKinds)[number];

/**
 * A backend did not give what it was asked for. The message is for people of the environment: it has no host, port,
 * system error, text of the backend or value in it (X4); the cause is for our log only.
 */
export class BackendFailure extends Error {
  override readonly name = "BackendFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  /** Whether it is of the whole backend, and not of one secret. */
  get isOfBackend(): boolean {
    return this.kind !== "permission" && this.kind !== "path";
  }
}

export type ReadOutcome =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "failed"; readonly failure: BackendFailure };

/** An open backend, signed in when it is first used. */
export interface BackendClient extends AsyncDisposable {
  /**
   * Reads values, in the order of the references. Throws a BackendFailure when nothing at all can be read; what is
   * wrong with one secret costs only that one.
   */
  read(references: readonly SecretReference[], signal: AbortSignal): Promise<ReadOutcome[]>;
  /** Proves address and sign-in without reading a secret; says in words what is so. Throws a BackendFailure. */
  check(signal: AbortSignal): Promise<string>;
  /** Keeps a session alive between reads. */
  keepAlive(signal: AbortSignal): Promise<void>;
}

const maximumValueBytes = 32_768;

/** A value as it came, or why no host can use it. */
export function usableValue(value: string): ReadOutcome {
  const refuse = (what: string): ReadOutcome => ({
    kind: "failed",
    failure: new BackendFailure("path", what),
  });
  if (value === "") return refuse("its value is empty");
  if (Buffer.byteLength(value) > maximumValueBytes) {
    return refuse(`its value has more than ${maximumValueBytes} bytes`);
  }
  return { kind: "value", value };
}

/** A key of a secret that has several, as text: numbers and objects as JSON has them. */
export function valueOfKey(values: unknown, key: string): ReadOutcome {
  const failed = (message: string): ReadOutcome => ({
    kind: "failed",
    failure: new BackendFailure("path", message),
  });
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    return failed("it has no keys: refer to all of it");
  }
  if (!Object.hasOwn(values, key)) return failed("it has no such key");
  const value = (values as Record<string, unknown>)[key];
  if (value === null) return failed("its value is empty");
  return usableValue(typeof value === "string" ? value : JSON.stringify(value));
}
