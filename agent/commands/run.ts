import { runAgent } from "../agent.ts";
import { ExpectedError } from "../expected-error.ts";
import type { CommandContext } from "./context.ts";

/** Runs the agent until the signal. */
export async function run({ config, deps, signal }: CommandContext): Promise<number> {
  if (process.platform === "win32") {
    // Without process groups a pipeline could outlive its agent and run twice.
    throw new ExpectedError("the agent does not run on Windows: use Linux, or macOS to try it out");
  }
  await runAgent(config, deps, signal);
  return 0;
}
