import { randomUUID } from "node:crypto";

import type { Clock } from "#common/clock.ts";

import { boundedText } from "../text.ts";
import type { VectorExecutable } from "../vector/executable.ts";
import { isReserved } from "../vector/reserved.ts";
import { Child, describeExit, type Exit, type OutputStream } from "./child.ts";
import { within } from "./deadline.ts";
import type { ConfigProblem } from "./pipeline-status.ts";
import { lineText, parseVectorLine, type VectorLine } from "./vector-log-line.ts";

export interface VectorProcessOptions {
  readonly executable: VectorExecutable;
  readonly configPath: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly vectorLogLevel: string;
  readonly drainSecs: number;
  readonly metricsPort: number;
}

export type ReloadVerdict =
  | { readonly kind: "reloaded" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "ended" }
  | { readonly kind: "timed_out" };

/** Why a process cannot be kept, for people. */
export interface Fault {
  readonly reason: string;
  readonly problems: readonly ConfigProblem[];
  readonly logTail: readonly string[];
}

const tailLines = 50;
const tailLineBytes = 1024;
const maxErrors = 20;

interface Verdict {
  readonly kind: "started" | "reloaded" | "refused";
  readonly reason: string;
}

/** The lines by which Vector tells how a start or a reload ended; nothing else can be relied on. */
function verdictOf(line: VectorLine): Verdict | undefined {
  switch (line.message) {
    case "Vector has started.":
      return { kind: "started", reason: "" };
    case "Vector has reloaded.":
      return { kind: "reloaded", reason: "" };
    case "Reload was not successful.":
    case "Failed to load config files, reload aborted.":
      return { kind: "refused", reason: line.fields.get("reason") ?? "" };
    default:
      return undefined;
  }
}

/**
 * One run of Vector. Its exit code says nothing (most crashes exit with 0), so that it is judged by
 * the lines it writes.
 */
export class VectorProcess implements AsyncDisposable {
  /** Identifies this run: counters of two runs are never joined (P7). */
  readonly epoch: string = randomUUID();
  readonly startedAt: Date;
  readonly metricsPort: number;
  /** The file it was started from. */
  readonly executable: VectorExecutable;
  readonly exit: Promise<Exit>;
  readonly #child: Child;
  readonly #clock: Clock;
  readonly #onLine: (line: VectorLine, stream: OutputStream) => void;
  readonly #tail: string[] = [];
  readonly #errors: ConfigProblem[] = [];
  #verdict: PromiseWithResolvers<Verdict> = Promise.withResolvers();
  #fatal: ConfigProblem | undefined;
  #ended: Exit | undefined;

  constructor(
    options: VectorProcessOptions,
    clock: Clock,
    onLine: (line: VectorLine, stream: OutputStream) => void,
  ) {
    this.#clock = clock;
    this.#onLine = onLine;
    this.startedAt = clock.now();
    this.metricsPort = options.metricsPort;
    this.executable = options.executable;
    this.#child = new Child(
      {
        command: options.executable.path,
        args: [
          "--log-format",
          "json",
          "--graceful-shutdown-limit-secs",
          String(options.drainSecs),
          "--config-yaml",
          options.configPath,
        ],
        cwd: options.cwd,
        env: { ...options.env, VECTOR_LOG: options.vectorLogLevel },
      },
      (line, stream) => this.#read(line, stream),
    );
    this.exit = this.#child.exit.then((exit) => {
      this.#ended = exit;
      return exit;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): Exit | undefined {
    return this.#ended;
  }

  /** The component whose death is about to end the process; undefined while all is well. */
  get fatal(): ConfigProblem | undefined {
    return this.#fatal;
  }

  /** Waits until Vector says that it has started. */
  async started(limitMs: number, signal: AbortSignal): Promise<"started" | "ended" | "timed_out"> {
    const verdict = await this.#await(limitMs, signal);
    return verdict === "ended" || verdict === "timed_out" ? verdict : "started";
  }

  /** Sends SIGHUP and waits for the verdict. One reload at a time: verdicts carry no id. */
  async reload(limitMs: number, signal: AbortSignal): Promise<ReloadVerdict> {
    this.#verdict = Promise.withResolvers();
    this.#errors.length = 0;
    this.#child.signal("SIGHUP");
    const verdict = await this.#await(limitMs, signal);
    if (verdict === "ended" || verdict === "timed_out") return { kind: verdict };
    if (verdict.kind === "refused") return { kind: "refused", reason: verdict.reason };
    return { kind: "reloaded" };
  }

  /** Ends the process; after the grace by force. */
  async stop(graceMs: number): Promise<Exit> {
    await this.#child.stop(graceMs);
    return await this.exit;
  }

  kill(): void {
    this.#child.signal("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  /** The last lines that the process wrote. */
  tail(): readonly string[] {
    return [...this.#tail];
  }

  /** What went wrong, from what Vector wrote; `otherwise` when it wrote nothing that tells. */
  fault(otherwise: string): Fault {
    const problems = this.#fatal === undefined ? [...this.#errors] : [this.#fatal];
    const first = problems[0];
    const where = first?.componentId ? `component "${first.componentId}": ` : "";
    const told = first === undefined ? "" : `${where}${first.message.split("\n")[0]}`;
    const ended = this.#ended === undefined ? otherwise : `Vector ${describeExit(this.#ended)}`;
    const reason = told === "" ? ended : `${ended}: ${told}`;
    return { reason, problems, logTail: this.tail() };
  }

  async #await(limitMs: number, signal: AbortSignal): Promise<Verdict | "ended" | "timed_out"> {
    const first = Promise.race([this.#verdict.promise, this.exit.then(() => "ended" as const)]);
    const result = await within(first, limitMs, this.#clock, signal);
    return result.kind === "timed_out" ? "timed_out" : result.value;
  }

  #read(text: string, stream: OutputStream): void {
    const line = parseVectorLine(text, stream);
    if (line.isLog) this.#judge(line);
    this.#tail.push(boundedText(line.isLog ? tailText(line) : text, tailLineBytes));
    if (this.#tail.length > tailLines) this.#tail.shift();
    this.#onLine(line, stream);
  }

  #judge(line: VectorLine): void {
    const verdict = verdictOf(line);
    if (verdict !== undefined) this.#verdict.resolve(verdict);
    if (line.level !== "error") return;
    const message = line.fields.get("error") ?? line.message;
    if (line.message.startsWith("An error occurred that Vector couldn't handle")) {
      const cause = this.#errors.findLast((error) => error.componentId === line.componentId);
      this.#fatal ??= cause ?? { componentId: line.componentId, field: "", message };
    } else if (line.message === "Vector has failed to recover from a failed reload.") {
      this.#fatal ??= this.#errors[0] ?? { componentId: "", field: "", message: line.message };
    } else if (verdict === undefined) {
      this.#errors.push({
        componentId: line.componentId,
        field: "",
        message: boundedText(message, 4 * 1024),
      });
      if (this.#errors.length > maxErrors) this.#errors.shift();
    }
  }
}

function tailText(line: VectorLine): string {
  const component =
    line.componentId === "" || isReserved(line.componentId) ? "" : `${line.componentId}: `;
  return `${line.level.toUpperCase()} ${component}${lineText(line)}`;
}
