import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fullJitter } from "#common/backoff.ts";
import { systemClock } from "#common/clock.ts";

export interface Program {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly onLine: (line: string) => void;
  readonly print: (line: string) => void;
}

export interface Supervised {
  /** Settles when the program has ended for good after the signal. */
  readonly ended: Promise<void>;
  /** Settles with undefined when the program does not even start. */
  readonly gaveUp: Promise<undefined>;
}

/** One that ends sooner than this after its first start has something to say that a restart does not mend. */
const startMs = 5000;
const stableMs = 60_000;
const graceMs = 8000;

/**
 * Keeps a program of ours running until the signal, then ends it and waits. The program is in a group of its own,
 * so that Ctrl-C reaches it once and through here, and it has a channel to this process: when this process dies,
 * whatever the cause, the program ends itself.
 */
export function supervise(program: Program, signal: AbortSignal): Supervised {
  const gaveUp = Promise.withResolvers<undefined>();
  const ended = (async () => {
    let failures = 0;
    for (let run = 0; !signal.aborted; run += 1) {
      const startedAt = Date.now();
      const child = start(program);
      const stop = (): void => end(child);
      signal.addEventListener("abort", stop, { once: true });
      const [code, killedBy] = (await once(child, "exit")) as [number | null, string | null];
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return;
      const lived = Date.now() - startedAt;
      if (run === 0 && lived < startMs && code !== null) {
        gaveUp.resolve(undefined);
        return;
      }
      failures = lived > stableMs ? 0 : failures + 1;
      const pauseMs = fullJitter(failures, { minMs: 200, maxMs: 15_000 }, Math.random());
      program.print(
        `The ${program.name} ended (${killedBy ?? `code ${code}`}); starting it again in ${(pauseMs / 1000).toFixed(1)} s.`,
      );
      await systemClock.sleep(pauseMs, signal).catch(() => {});
    }
  })();
  return { ended, gaveUp: gaveUp.promise };
}

function start(program: Program): ChildProcess {
  const child = spawn(process.execPath, [...program.args], {
    cwd: program.cwd,
    env: program.env,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", program.onLine);
  }
  return child;
}

function end(child: ChildProcess): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  timer.unref();
}
