import { spawn } from "node:child_process";
import {
  BackendFailure,
  usableValue,
  type BackendClient,
  type ReadOutcome,
  type SecretReference,
} from "./backend.ts";
import type { ExecSettings } from "./settings.ts";

export const commandTimeoutMs = 10_000;
const maximumOutputBytes = 4 * 1024 * 1024;
/** Nothing of the server's own: it has the key of everything that is sealed in it. */
const environment = { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8" };

/**
 * Asks a command on this host, by the protocol that Vector has for its own `exec` backend of secrets: names in JSON on
 * the standard input, values or errors by name in JSON on the standard output. No shell, a group of its own that is
 * killed when its time is over.
 */
export class ExecClient implements BackendClient {
  readonly #settings: ExecSettings;
  readonly #argv: readonly string[];
  readonly #timeoutMs: number;

  constructor(settings: ExecSettings, argv: readonly string[], timeoutMs = commandTimeoutMs) {
    this.#settings = settings;
    this.#argv = argv;
    this.#timeoutMs = timeoutMs;
  }

  async read(references: readonly SecretReference[], signal: AbortSignal): Promise<ReadOutcome[]> {
    const names = [...new Set(references.map(({ path }) => path))];
    const answer = parseAnswer(await this.#ask(names, signal));
    return references.map(({ path }) => outcomeOf(answer, path));
  }

  async check(signal: AbortSignal): Promise<string> {
    parseAnswer(await this.#ask([], signal));
    return "the command runs and answers";
  }

  async keepAlive(): Promise<void> {
    // Every question is a process of its own.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is left open.
  }

  #question(names: readonly string[]): string {
    const { backendType, configJson } = this.#settings;
    if (backendType === "") return JSON.stringify({ version: "1.0", secrets: names });
    const config: unknown = configJson === "" ? {} : JSON.parse(configJson);
    return JSON.stringify({ version: "1.1", secrets: names, type: backendType, config });
  }

  async #ask(names: readonly string[], signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const [program = "", ...args] = this.#argv;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = spawn(program, args, {
      cwd: "/",
      env: environment,
      detached: true,
      shell: false,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const kill = (): void => {
      try {
        // The whole group: what the command started goes with it.
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    };
    const end = (failure: Error): void => {
      reject(failure);
      kill();
    };
    const timer = setTimeout(
      () => end(new BackendFailure("unavailable", "the command did not answer in time")),
      this.#timeoutMs,
    );
    const onAbort = (): void => end(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maximumOutputBytes) {
        end(new BackendFailure("answer", "the command writes more than it may"));
      } else chunks.push(chunk);
    });
    child.on("error", (cause) =>
      end(
        new BackendFailure("settings", "the command cannot be started on this server", { cause }),
      ),
    );
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString());
      else end(new BackendFailure("unavailable", `the command failed with ${code ?? "a signal"}`));
    });
    // It may end without reading.
    child.stdin.on("error", () => {});
    child.stdin.end(this.#question(names));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }
}

function parseAnswer(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Readonly<Record<string, unknown>>;
    }
  } catch {
    // Said below.
  }
  throw new BackendFailure("answer", "the command does not answer with an object in JSON");
}

function outcomeOf(answer: Readonly<Record<string, unknown>>, name: string): ReadOutcome {
  const failed = (kind: BackendFailure["kind"], message: string): ReadOutcome => ({
    kind: "failed",
    failure: new BackendFailure(kind, message),
  });
  const entry = Object.hasOwn(answer, name) ? answer[name] : undefined;
  if (typeof entry !== "object" || entry === null) {
    return failed("path", "the command does not know it");
  }
  const { value, error } = entry as { value?: unknown; error?: unknown };
  // What the command says may have anything in it; people are told only that it said something.
  if (error !== undefined && error !== null) return failed("path", "the command refuses it");
  if (typeof value !== "string") return failed("answer", "the command gives no text for it");
  return usableValue(value);
}
