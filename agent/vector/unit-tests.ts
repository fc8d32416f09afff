import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

/** How one unit test ended. */
export interface UnitTestOutcome {
  readonly name: string;
  readonly passed: boolean;
  /** What Vector says of it; empty when it passed. */
  readonly message: string;
}

export type UnitTestRun =
  | { readonly kind: "ran"; readonly tests: readonly UnitTestOutcome[] }
  /** None was run, or not to its end. */
  | { readonly kind: "failed"; readonly reason: string };

export interface UnitTestOptions {
  readonly vectorPath: string;
  readonly args: readonly string[];
  /** Without values of secrets: Vector reads it several times, so that it has to be a file. */
  readonly config: string;
  /** An empty folder that nobody else reads. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Runs the unit tests of a configuration with `vector test`, which opens no source and no sink. */
export async function runUnitTests(
  options: UnitTestOptions,
  signal: AbortSignal,
): Promise<UnitTestRun> {
  const path = join(options.cwd, "tests.yaml");
  await writeFile(path, options.config, { mode: 0o600 });
  const result = await runCommand(
    {
      command: options.vectorPath,
      args: ["test", "--config-yaml", path, ...options.args],
      cwd: options.cwd,
      env: options.env,
      // Vector does not read it; with input a command yields to what runs.
      input: "",
      timeoutMs: options.timeoutMs,
      lowPriority: true,
    },
    signal,
  );
  signal.throwIfAborted();
  if (result.kind === "failed_to_start") {
    return { kind: "failed", reason: `vector test could not be started: ${result.cause.message}` };
  }
  if (result.kind === "timed_out") {
    const seconds = options.timeoutMs / 1000;
    return { kind: "failed", reason: `vector test did not end within ${seconds} s` };
  }
  const tests = parseTestReport(result.stdout);
  if (tests.length > 0) return { kind: "ran", tests };
  if (result.code === 0) return { kind: "ran", tests: [] };
  const said = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-5).join("\n");
  return { kind: "failed", reason: `vector test exited with code ${result.code}: ${said}` };
}

/** Reads what `vector test` writes: a line for each test, and then the failures. Pure. */
export function parseTestReport(report: string): readonly UnitTestOutcome[] {
  const [verdicts = "", ...rest] = report.split(/^failures:$/m);
  const failures = new Map<string, string>();
  for (const part of rest
    .join("\n")
    .split(/^test (?=.*:$)/m)
    .slice(1)) {
    const end = part.indexOf(":\n");
    if (end === -1) continue;
    const message = part.slice(end + 2).trim();
    failures.set(part.slice(0, end), message.replaceAll(/\n{2,}/g, "\n"));
  }
  return Array.from(verdicts.matchAll(/^test (.*) \.\.\. (passed|failed)$/gm)).map(
    ([, name = "", verdict]) => ({
      name,
      passed: verdict === "passed",
      message: verdict === "passed" ? "" : (failures.get(name) ?? "it failed"),
    }),
  );
}
