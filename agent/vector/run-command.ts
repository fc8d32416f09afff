import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import { signalGroup } from "../process/process-identity.ts";

export interface CommandOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs: number;
  /** It yields to everything else on the host; only for commands with input. */
  readonly lowPriority?: boolean;
}

export type CommandResult =
  | {
      readonly kind: "ended";
      readonly code: number | null;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly kind: "timed_out"; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "failed_to_start"; readonly cause: Error };

const maxOutput = 1024 * 1024;
const pipe = 'cat | "$0" "$@"';
/** A host without `nice` runs it as it is. */
const gentlePipe = `if command -v nice >/dev/null 2>&1; then cat | nice -n 19 "$0" "$@"; else ${pipe}; fi`;

/**
 * Runs a command to its end and gathers what it wrote, up to a bound. A command that outlives its
 * time or the signal is killed with its group: Vector's sub-commands ignore every gentler signal.
 *
 * Input goes through a shell's pipe, because Node connects children by sockets, and a socket cannot
 * be opened as /dev/stdin. So the input is in memory only.
 */
export async function runCommand(
  options: CommandOptions,
  signal: AbortSignal,
): Promise<CommandResult> {
  const child = spawn(
    ...(options.input === undefined
      ? ([options.command, [...options.args]] as const)
      : ([
          "/bin/sh",
          [
            "-c",
            options.lowPriority === true ? gentlePipe : pipe,
            options.command,
            ...options.args,
          ],
        ] as const)),
    { cwd: options.cwd, env: { ...options.env }, detached: true, stdio: "pipe" },
  );
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      if (output[name].length < maxOutput) output[name] += text;
    });
  }
  // A command that ends without reading its input closes the pipe under the writer.
  child.stdin.on("error", () => {}).end(options.input ?? "");
  const { promise, resolve } = Promise.withResolvers<CommandResult>();
  child.once("error", (cause) => resolve({ kind: "failed_to_start", cause }));
  child.once("close", (code) => resolve({ kind: "ended", code, ...output }));
  const timer = new AbortController();
  const end = AbortSignal.any([timer.signal, signal]);
  const watchdog = delay(options.timeoutMs, undefined, { signal: end, ref: false })
    .catch(() => {}) // The command ended in time, or the caller has gone.
    .then(() => {
      if (timer.signal.aborted || child.pid === undefined) return;
      signalGroup(child.pid, "SIGKILL");
      resolve({ kind: "timed_out", ...output });
    });
  const result = await promise;
  timer.abort();
  await watchdog;
  return result;
}
