import { ExpectedError } from "./expected-error.ts";
import { messageOf } from "./text.ts";

export type Pty = typeof import("@lydell/node-pty");

/**
 * Loads the terminal library when it is first needed. Throws an ExpectedError where it does not exist for the
 * machine: the agent does everything else without it.
 */
export async function loadPty(): Promise<Pty> {
  try {
    return await import("@lydell/node-pty");
  } catch (error) {
    const reason = messageOf(error).split("\n", 1)[0] ?? "";
    throw new ExpectedError(`there are no terminals on this machine: ${reason}`, { cause: error });
  }
}
