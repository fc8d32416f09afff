import type { AgentDeps } from "../agent.ts";
import type { AgentConfig, FlagValues } from "../config.ts";

/** What a command works with. It returns the exit code. */
export interface CommandContext {
  readonly config: AgentConfig;
  readonly flags: FlagValues;
  /** The version for install-vector. */
  readonly argument: string | undefined;
  readonly deps: AgentDeps;
  readonly signal: AbortSignal;
  /** Writes a text and a line feed to the standard output. */
  readonly print: (text: string) => void;
}
