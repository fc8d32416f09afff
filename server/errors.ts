/** Kinds of failures that a caller can act on; rpc/error-interceptor.ts maps them to codes. */
export type ErrorKind =
  | "not_found"
  | "conflict"
  | "invalid"
  | "forbidden"
  | "unauthenticated"
  | "stale"
  | "precondition"
  | "unavailable"
  | "exhausted";

/** One bad field of a request. */
export interface FieldViolation {
  readonly field: string;
  readonly message: string;
}

/** A failure the caller can act on. Anything else that is thrown is a bug. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly kind: ErrorKind;
  /** Stable and machine readable, as in `pipeline_name_taken`. */
  readonly reason: string;
  readonly violations: readonly FieldViolation[];

  constructor(
    kind: ErrorKind,
    reason: string,
    message: string,
    options: ErrorOptions & { readonly violations?: readonly FieldViolation[] } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.reason = reason;
    this.violations = options.violations ?? [];
  }
}

/** Also thrown when the caller may not know that the thing exists. */
export function notFound(thing: string, id: string): DomainError {
  return new DomainError("not_found", `${thing}_not_found`, `there is no ${thing} ${id}`);
}

/** Collects all that is wrong with a request, to be thrown at once. */
export class FieldViolations {
  readonly #found: FieldViolation[] = [];

  add(field: string, message: string): void {
    this.#found.push({ field, message });
  }

  /** Adds a violation unless the text has `minimum` to `maximum` characters; returns it trimmed. */
  text(field: string, value: string, minimum: number, maximum: number): string {
    const trimmed = value.trim();
    if (trimmed.length < minimum) {
      this.add(field, minimum === 1 ? "is required" : `must have at least ${minimum} characters`);
    } else if (trimmed.length > maximum) {
      this.add(field, `must have at most ${maximum} characters`);
    }
    return trimmed;
  }

  throwIfAny(): void {
    const [first] = this.#found;
    if (first === undefined) return;
    const more = this.#found.length > 1 ? ` (and ${this.#found.length - 1} more)` : "";
    throw new DomainError("invalid", "invalid_request", `${first.field} ${first.message}${more}`, {
      violations: this.#found,
    });
  }
}
