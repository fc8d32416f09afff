import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A program that the contract is held against. */
export interface Subject {
  readonly name: string;
  readonly command: string;
}

const real = process.env["VECTOR_BIN"];

/** vector-sim always, and the real Vector that `VECTOR_BIN` names. */
export const subjects: readonly Subject[] = [
  { name: "vector-sim", command: fileURLToPath(new URL("vector-sim", import.meta.url)) },
  ...(real === undefined ? [] : [{ name: "vector", command: real }]),
];

export const simulator = subjects.slice(0, 1);

const deadlineMs = 20_000;
const pollMs = 20;

/** Tries until it gives something; fails with the last problem at the deadline. */
export async function eventually<T>(
  attempt: () => T | undefined | Promise<T | undefined>,
  what = "a condition",
): Promise<T> {
  const until = Date.now() + deadlineMs;
  let problem: unknown;
  while (Date.now() < until) {
    try {
      const value = await attempt();
      if (value !== undefined) return value;
    } catch (error) {
      problem = error;
    }
    await delay(pollMs);
  }
  throw new Error(`waited in vain for ${what}`, { cause: problem });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

const environment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  VECTOR_HOSTNAME: "contract",
  ...more,
});

/** A folder of its own, gone with the case. */
export class Workspace implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "vector-contract-"));
  readonly dataDir = join(this.folder, "data");
  readonly configPath = join(this.folder, "config.yaml");

  constructor() {
    mkdirSync(this.dataDir);
  }

  /** Replaces the config by a rename: Vector must never see half of one. */
  write(config: string): void {
    writeFileSync(`${this.configPath}.next`, `data_dir: ${this.dataDir}\n${config}`);
    renameSync(`${this.configPath}.next`, this.configPath);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a command to its end. */
export async function runToEnd(
  { command }: Subject,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly cwd?: string;
  } = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    env: environment(options.env ?? {}),
    cwd: options.cwd,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [stdout, stderr, [code, signal]] = await Promise.all([
    child.stdout.setEncoding("utf8").toArray(),
    child.stderr.setEncoding("utf8").toArray(),
    once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { stdout: stdout.join(""), stderr: stderr.join(""), code, signal };
}

/** A line of Vector's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly message?: string;
  readonly target: string;
  readonly [field: string]: unknown;
}

function parseLogLine(line: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "target" in value && "level" in value
      ? (value as LogLine)
      : undefined;
  } catch {
    return undefined;
  }
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running Vector with a JSON log and a workspace of its own. Killed, if need be, with the case. */
export class RunningVector implements AsyncDisposable {
  readonly workspace: Workspace;
  readonly child: ChildProcess;
  /** Every line of stdout and stderr, in order of arrival. */
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exit: Promise<Exit>;

  constructor(
    subject: Subject,
    config: string,
    { args = [], env = {} }: StartOptions = {},
    workspace = new Workspace(),
  ) {
    this.workspace = workspace;
    workspace.write(config);
    const all = ["--log-format", "json", "--config-yaml", workspace.configPath, ...args];
    this.child = spawn(subject.command, all, {
      env: environment(env),
      stdio: ["pipe", "pipe", "pipe"],
    });
    if (this.child.stdout !== null)
      createInterface(this.child.stdout).on("line", (line) => this.stdout.push(line));
    if (this.child.stderr !== null)
      createInterface(this.child.stderr).on("line", (line) => this.stderr.push(line));
    this.exit = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
  }

  /** Starts one and waits until it says that it has started. */
  static async start(
    subject: Subject,
    config: string,
    options: StartOptions = {},
  ): Promise<RunningVector> {
    const vector = new RunningVector(subject, config, options);
    try {
      await vector.log("Vector has started.");
      return vector;
    } catch (error) {
      await vector[Symbol.asyncDispose]();
      throw error;
    }
  }

  get logLines(): readonly LogLine[] {
    return this.stdout.map(parseLogLine).filter((line) => line !== undefined);
  }

  /** The lines of stdout that are not log lines: what a console sink wrote. */
  get output(): readonly string[] {
    return this.stdout.filter((line) => parseLogLine(line) === undefined);
  }

  /** Waits for a line of the log. `after` skips that many lines. */
  log(message: string, after = 0): Promise<LogLine> {
    return eventually(
      () => {
        const lines = this.logLines.slice(after);
        return lines.find((line) => line.message?.startsWith(message));
      },
      `the line ${JSON.stringify(message)} in\n${this.stdout.slice(-20).join("\n")}\n${this.stderr.slice(-10).join("\n")}`,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Reloads and waits for the verdict; gives the lines of this reload. */
  async reload(config: string | undefined, verdict: string): Promise<readonly LogLine[]> {
    if (config !== undefined) this.workspace.write(config);
    const before = this.logLines.length;
    this.signal("SIGHUP");
    await this.log(verdict, before);
    return this.logLines.slice(before);
  }

  /** Asks it to stop and waits until it did. */
  async stop(): Promise<Exit> {
    this.signal("SIGTERM");
    return this.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exit;
    this.workspace[Symbol.dispose]();
  }
}

/** The samples of a Prometheus page by `name{labels}`, labels as `key="value"` in order of key. */
export async function scrape(port: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const page = await response.text();
  const samples = new Map<string, number>();
  for (const line of page.split("\n")) {
    const [, series, value] = /^([^#\s][^\s]*(?:\{.*\})?) (\S+)(?: \d+)?$/.exec(line) ?? [];
    if (series !== undefined) samples.set(series, Number(value));
  }
  return samples;
}

/** The sum of a metric over the series that have all these labels; undefined when there are none. */
export function sumOf(
  samples: ReadonlyMap<string, number>,
  name: string,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  const found = [...samples].filter(
    ([series]) =>
      series.startsWith(`${name}{`) &&
      Object.entries(labels).every(([key, value]) => series.includes(`${key}="${value}"`)),
  );
  return found.length === 0 ? undefined : found.reduce((sum, [, value]) => sum + value, 0);
}

/** Posts a body and gives the status. */
export async function post(port: number, body: string, path = "/"): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body });
  await response.text();
  return response.status;
}
