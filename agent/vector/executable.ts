import { access, constants, readdir, realpath, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";

import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";

import { messageOf } from "../text.ts";
import { runCommand } from "./run-command.ts";

/** A Vector executable that answered to `--version`. */
export interface VectorExecutable {
  readonly path: string;
  readonly version: string;
  readonly simulated: boolean;
  /** Changes when the file is replaced: a new file needs a new process (A3). */
  readonly fileId: string;
}

export type VectorLookup =
  | { readonly kind: "found"; readonly executable: VectorExecutable }
  | { readonly kind: "missing"; readonly problem: string };

export interface LookupOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly vectorEnv: Readonly<Record<string, string>>;
  readonly dataDir: string;
}

const probeTimeoutMs = 10_000;

/** `vector 0.58.0 (x86_64-unknown-linux-gnu …)`; the stand-in names itself in the line. */
export function parseVersionLine(
  line: string,
): { readonly version: string; readonly simulated: boolean } | undefined {
  const match = /^vector(?:-sim)? (\d+\.\d+\.\d+(?:-[\w.+-]+)?)/m.exec(line);
  if (match === null) return undefined;
  return { version: match[1] ?? "", simulated: line.includes("vector-sim") };
}

/** Orders versions such as `0.58.0` by their numbers. */
export function compareVersions(a: string, b: string): number {
  const numbers = (text: string): readonly number[] => text.split(/[.+-]/).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The file to use: `VECTOR_BIN`, else `vector` on the PATH, else the newest in the data directory. */
async function candidate(options: LookupOptions): Promise<string | undefined> {
  const named = options.env["VECTOR_BIN"];
  if (named !== undefined && named !== "") return isAbsolute(named) ? named : resolve(named);
  for (const folder of (options.env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && (await isExecutable(join(folder, "vector"))))
      return join(folder, "vector");
  }
  const installed = join(options.dataDir, "vector");
  const versions = await readdir(installed).catch((): string[] => []);
  for (const version of versions.toSorted(compareVersions).toReversed()) {
    const path = join(installed, version, "bin", "vector");
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

/**
 * Knows which Vector the agent runs. Looks again when asked, and asks the file for its version only
 * when it has changed.
 */
export class VectorFinder {
  readonly #options: LookupOptions;
  readonly #listeners = new Set<() => void>();
  #current: VectorLookup = { kind: "missing", problem: "not looked for yet" };
  #fileId = "";
  /** One look serves all who ask meanwhile, so that none of them can call it off. */
  #looking: Promise<VectorLookup> | undefined;

  constructor(options: LookupOptions) {
    this.#options = options;
  }

  get current(): VectorLookup {
    return this.#current;
  }

  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Looks for the executable and tells the listeners if another one is found, or none. */
  async look(): Promise<VectorLookup> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return await this.#looking;
  }

  async #lookOnce(): Promise<VectorLookup> {
    const path = await candidate(this.#options);
    if (path === undefined) {
      return this.#found("", missing("no Vector was found: set VECTOR_BIN or put it on the PATH"));
    }
    let fileId: string;
    try {
      const file = await stat(await realpath(path));
      fileId = `${path}:${file.dev}:${file.ino}:${file.mtimeMs}:${file.size}`;
    } catch (error) {
      return this.#found("", missing(`${path} cannot be used: ${messageOf(error)}`));
    }
    if (fileId === this.#fileId) return this.#current;
    return this.#found(fileId, await this.#probe(path, fileId));
  }

  /** Looks again every few seconds, so that an upgrade or a first installation is noticed. */
  async watch(everyMs: number, clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs, signal);
      const before = this.#current;
      const now = await this.look();
      if (now !== before) log.info("vector changed", { now });
    }
  }

  async #probe(path: string, fileId: string): Promise<VectorLookup> {
    const result = await runCommand(
      {
        command: path,
        args: ["--version"],
        cwd: "/",
        env: this.#options.vectorEnv,
        timeoutMs: probeTimeoutMs,
      },
      new AbortController().signal,
    );
    switch (result.kind) {
      case "failed_to_start":
        return missing(`${path} cannot be started: ${result.cause.message}`);
      case "timed_out":
        return missing(`${path} --version did not answer`);
      case "ended": {
        const parsed = parseVersionLine(result.stdout);
        if (result.code !== 0 || parsed === undefined) {
          return missing(`${path} --version does not answer like Vector`);
        }
        return { kind: "found", executable: { path, fileId, ...parsed } };
      }
    }
  }

  #found(fileId: string, lookup: VectorLookup): VectorLookup {
    // A file that could not be probed is probed again: it may have been half written.
    this.#fileId = lookup.kind === "found" ? fileId : "";
    if (JSON.stringify(lookup) === JSON.stringify(this.#current)) return this.#current;
    this.#current = lookup;
    for (const listener of this.#listeners) listener();
    return lookup;
  }
}

function missing(problem: string): VectorLookup {
  return { kind: "missing", problem };
}
