import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ExpectedError } from "../expected-error.ts";

const run = promisify(execFile);
const timeoutMs = 120_000;

/** Runs systemctl. Throws an ExpectedError with what it said. */
export async function systemctl(args: readonly string[]): Promise<void> {
  try {
    await run("systemctl", [...args], { timeout: timeoutMs, killSignal: "SIGKILL" });
  } catch (error) {
    const text = (error as { readonly stderr?: string }).stderr?.trim() || (error as Error).message;
    throw new ExpectedError(`systemctl ${args.join(" ")} failed: ${text}`, { cause: error });
  }
}
