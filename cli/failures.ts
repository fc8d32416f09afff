/** What a process that calls this one can tell apart; documented in docs/cli.md. */
export const exitCodes = {
  ok: 0,
  /** The server refused it, or a host failed. */
  failed: 1,
  usage: 2,
  /** Something differs: `diff` and `--dry-run` only. */
  differences: 3,
  /** The server cannot be reached, or does not accept the token. */
  noAccess: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error whose message tells a person all there is to know; a stack would only frighten. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command line, the environment or a file that was named is wrong. Nothing was sent. */
export class UsageError extends CliError {
  override readonly name = "UsageError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, exitCodes.usage, options);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
