import { createRequire } from "node:module";
import type { IPty } from "@lydell/node-pty";
import type { Clock } from "#common/clock.ts";
import type { ApiLease } from "../process/api-lease.ts";
import { signalGroup } from "../process/process-identity.ts";
import { compareVersions } from "../vector/executable.ts";
import { viewingKeys } from "./terminal-keys.ts";

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  /** Components that people know; those that were injected are none. */
  readonly componentIds: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Without a key for so long, it is closed. */
  readonly idleMs: number;
}

export interface TerminalWire {
  opened(): void;
  output(content: Uint8Array): void;
  /** The server reads too slowly: the program is held up meanwhile. */
  isFull(): boolean;
}

const module = "@lydell/node-pty";
const firstWithGrpc = "0.55.0";
const chunkBytes = 32 * 1024;
/** A screen is drawn a few times a second; more than this is no screen. */
const bytesPerSecond = 512 * 1024;
const resumeMs = 50;
/** What a command line can hold. */
const maxListLength = 8 * 1024;

/** Whether this agent can open terminals: the module has a part of its own for each platform. */
export function canOpenTerminals(): boolean {
  try {
    const { resolve } = createRequire(import.meta.url);
    resolve(module);
    resolve(`${module}-${process.platform}-${process.arch}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/**
 * `vector top` on one process, in a terminal of its own. Nothing else can be run in it, and only keys for
 * looking around reach it.
 */
export class TopTerminal {
  readonly #options: TerminalOptions;
  readonly #wire: TerminalWire;
  #pty: IPty | undefined;
  #lastKeyAt: number;
  #allowance = bytesPerSecond;
  #paused = false;

  constructor(options: TerminalOptions, wire: TerminalWire) {
    this.#options = options;
    this.#wire = wire;
    this.#lastKeyAt = options.clock.now().getTime();
  }

  /** Runs until the program ends, or is ended. Resolves to why, in words. */
  async run(lease: ApiLease, signal: AbortSignal): Promise<string> {
    const { columns, rows, env, idleMs } = this.#options;
    // Loaded only now: an agent that nobody looks at does without.
    const { spawn } = await import("@lydell/node-pty");
    signal.throwIfAborted();
    const pty = spawn(lease.executable.path, this.#arguments(lease), {
      cols: columns,
      rows,
      cwd: "/",
      env: { ...env, TERM: "xterm-256color" },
      encoding: null,
    });
    this.#pty = pty;
    const ended = Promise.withResolvers<string>();
    pty.onExit(({ exitCode, signal: killed }) => ended.resolve(describeEnd(exitCode, killed)));
    // With no encoding the module gives bytes, although its types say otherwise.
    pty.onData((content: string | Uint8Array) => this.#output(Buffer.from(content)));
    this.#wire.opened();
    const stop = (): void => ended.resolve("closed");
    const scope = AbortSignal.any([signal, lease.ended]);
    scope.addEventListener("abort", stop, { once: true });
    const second = setInterval(
      () => {
        this.#allowance = bytesPerSecond;
        const idle = this.#options.clock.now().getTime() - this.#lastKeyAt;
        if (idle >= idleMs) ended.resolve(`no key came for ${describeMs(idleMs)}`);
      },
      Math.min(1000, idleMs),
    );
    try {
      if (scope.aborted) stop();
      const reason = await ended.promise;
      return lease.ended.aborted && !signal.aborted
        ? (lease.ended.reason as Error).message
        : reason;
    } finally {
      clearInterval(second);
      scope.removeEventListener("abort", stop);
      this.#pty = undefined;
      // It ignores every gentler signal.
      signalGroup(pty.pid, "SIGKILL");
    }
  }

  input(content: Uint8Array): void {
    const keys = viewingKeys(content);
    if (keys.length === 0) return;
    this.#lastKeyAt = this.#options.clock.now().getTime();
    this.#pty?.write(keys.toString("latin1"));
  }

  resize(columns: number, rows: number): void {
    this.#pty?.resize(columns, rows);
  }

  #arguments(lease: ApiLease): string[] {
    const path = compareVersions(lease.executable.version, firstWithGrpc) < 0 ? "/graphql" : "";
    const list = this.#options.componentIds.join(",");
    return [
      "-qq", // Its log would be drawn over.
      "top",
      `--url=http://127.0.0.1:${lease.port}${path}`,
      ...(list === "" || list.length > maxListLength ? [] : [`--components=${list}`]),
    ];
  }

  #output(content: Buffer): void {
    for (let from = 0; from < content.length; from += chunkBytes) {
      this.#wire.output(content.subarray(from, from + chunkBytes));
    }
    this.#allowance -= content.length;
    if (this.#paused || (this.#allowance > 0 && !this.#wire.isFull())) return;
    this.#paused = true;
    this.#pty?.pause();
    this.#resumeSoon();
  }

  #resumeSoon(): void {
    setTimeout(() => {
      if (this.#pty === undefined) return;
      if (this.#allowance <= 0 || this.#wire.isFull()) return this.#resumeSoon();
      this.#paused = false;
      this.#pty.resume();
    }, resumeMs);
  }
}

function describeEnd(code: number, signal: number | undefined): string {
  if (signal !== undefined && signal !== 0) return `vector top was ended by signal ${signal}`;
  return code === 0 ? "vector top has ended" : `vector top ended with code ${code}`;
}

function describeMs(ms: number): string {
  return ms >= 60_000 ? `${Math.round(ms / 60_000)} minutes` : `${ms / 1000} s`;
}
