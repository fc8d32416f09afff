import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import type { ApiClient } from "../client/client.ts";
import { findEnvironment } from "../client/lookups.ts";
import type { FlagValues } from "../config.ts";
import { UsageError } from "../failures.ts";
import type { Output } from "../output/output.ts";

/** What a command works with. It returns the exit code. */
export interface CommandContext {
  readonly client: ApiClient;
  readonly flags: FlagValues;
  /** The name that stands after the command; empty when none does. */
  readonly argument: string;
  /** By name or id; undefined for the only one. */
  readonly environmentName: string | undefined;
  readonly waitMs: number;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly stdin: Stdin;
}

/** The standard input, which may be a person. */
export interface Stdin {
  readonly isTerminal: boolean;
  readAll(): Promise<Buffer>;
  /** Asks on the standard error and reads a line. */
  ask(question: string): Promise<string>;
}

export function environmentOf({ client, environmentName }: CommandContext): Promise<Environment> {
  return findEnvironment(client, environmentName);
}

/**
 * Lets a person confirm what takes something away, unless --yes did. Without a terminal nobody can, so that it is
 * refused.
 */
export async function confirm(context: CommandContext, question: string): Promise<boolean> {
  const { flags, stdin } = context;
  if (flags.yes === true) return true;
  if (!stdin.isTerminal) throw new UsageError(`${question}\nGive --yes to confirm it.`);
  return /^y(es)?$/i.test((await stdin.ask(`${question} [y/N] `)).trim());
}
