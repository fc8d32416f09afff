import { join } from "node:path";
import { isSea } from "node:sea";

export interface SelfCommand {
  readonly command: string;
  /** What comes before the sub-command. */
  readonly args: readonly string[];
}

/**
 * Flags of Node with which the agent stays small; the single-file binary has them built in. Without the optimising
 * compilers an idle agent is 10 MB smaller, and one that ships 1 000 log lines a second takes half as much CPU again.
 */
export const nodeFlags: readonly string[] = [
  "--max-semi-space-size=1",
  "--max-old-space-size=96",
  "--no-opt",
  "--no-maglev",
];

/** How this agent's executable is started again: alone as a single file, else by Node from its sources. */
export function selfCommand(): SelfCommand {
  if (isSea()) return { command: process.execPath, args: [] };
  return {
    command: process.execPath,
    args: [...nodeFlags, join(import.meta.dirname, "main.ts")],
  };
}

/** The same as people type it. */
export function programName(): string {
  return isSea() ? "vectorflow-agent" : "node agent/main.ts";
}
