import { join } from "node:path";
import { isSea } from "node:sea";

/** The word by which the single-file agent is asked to answer for Vector. Nobody types it. */
export const secretsCommand = "__secrets";

/** How the agent's own executable is started to answer for Vector, before the socket and the ticket. */
export function helperCommand(): readonly string[] {
  if (isSea()) return [process.execPath, secretsCommand];
  return [process.execPath, join(import.meta.dirname, "helper.ts")];
}
