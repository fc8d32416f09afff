import { runAgent } from "../agent.ts";
import type { CommandContext } from "./context.ts";

/** Runs the agent until the signal. */
export async function run({ config, deps, signal }: CommandContext): Promise<number> {
  await runAgent(config, deps, signal);
  return 0;
}
