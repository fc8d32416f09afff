import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import { LineSplitter } from "./line-splitter.ts";
import { signalGroup } from "./process-identity.ts";

/** How a process ended. */
export type Exit =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: string }
  | { readonly kind: "failed_to_start"; readonly cause: Error };

export type OutputStream = "stdout" | "stderr";

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited (A14). */
  readonly env: Readonly<Record<string, string>>;
}

/** An exit in words. */
export function describeExit(exit: Exit): string {
  switch (exit.kind) {
    case "exited":
      return `exited with code ${exit.code}`;
    case "signaled":
      return `was ended by ${exit.signal}`;
    case "failed_to_start":
      return `could not be started: ${exit.cause.message}`;
  }
}

/**
 * One process in its own process group. Both its pipes are always drained, because a Vector whose
 * output nobody reads stalls its pipeline.
 */
export class Child implements AsyncDisposable {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Resolves when the process is gone and its output was read. Never rejects. */
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;

  constructor(options: ChildOptions, onLine: (line: string, stream: OutputStream) => void) {
    this.#process = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.pid = this.#process.pid;
    this.exit = this.#watch(onLine);
  }

  /** Asks for, then after the grace forces, the end of the whole group. */
  async stop(graceMs: number): Promise<Exit> {
    this.signal("SIGTERM");
    const timer = new AbortController();
    const force = async (): Promise<void> => {
      await delay(graceMs, undefined, { signal: timer.signal });
      this.signal("SIGKILL");
    };
    const forced = force().catch(() => {}); // The timer is aborted when the process ended in time.
    const exit = await this.exit;
    timer.abort();
    await forced;
    return exit;
  }

  /** Signals the process alone for a reload, its group otherwise. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined) return;
    if (signal === "SIGHUP") this.#process.kill(signal);
    else signalGroup(this.pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.exit;
  }

  async #watch(onLine: (line: string, stream: OutputStream) => void): Promise<Exit> {
    const { promise: ended, resolve } = Promise.withResolvers<Exit>();
    this.#process.once("error", (cause) => {
      if (this.pid === undefined) resolve({ kind: "failed_to_start", cause });
    });
    this.#process.once("exit", (code, signal) => {
      resolve(signal === null ? { kind: "exited", code: code ?? 0 } : { kind: "signaled", signal });
    });
    const drained = [
      this.#drain(this.#process.stdout, (line) => onLine(line, "stdout")),
      this.#drain(this.#process.stderr, (line) => onLine(line, "stderr")),
    ];
    const exit = await ended;
    // Whatever the process left behind in its group goes with it, and with that its pipes close.
    if (this.pid !== undefined) signalGroup(this.pid, "SIGKILL");
    await Promise.race([Promise.all(drained), delay(1_000, undefined, { ref: false })]);
    this.#process.stdout.destroy();
    this.#process.stderr.destroy();
    return exit;
  }

  async #drain(stream: Readable, onLine: (line: string) => void): Promise<void> {
    const lines = new LineSplitter(onLine);
    try {
      for await (const chunk of stream) lines.push(chunk as Buffer);
    } catch {
      // The pipe was destroyed after the process had ended.
    }
    lines.end();
  }
}
