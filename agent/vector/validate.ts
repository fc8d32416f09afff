import type { ConfigProblem } from "../process/pipeline-status.ts";
import { runCommand } from "./run-command.ts";
import { parseValidateReport, problemOf } from "./validate-report.ts";

export type Validation =
  | { readonly kind: "valid" }
  | {
      readonly kind: "invalid";
      readonly reason: string;
      readonly problems: readonly ConfigProblem[];
      readonly output: readonly string[];
    };

export interface ValidateOptions {
  readonly vectorPath: string;
  /** Further flags that this version needs. */
  readonly args: readonly string[];
  readonly config: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** It is asked for a preview, and yields to what runs. */
  readonly lowPriority?: boolean;
}

/**
 * Asks Vector whether it would take a configuration: offline, without building a component, and
 * without a file, so that a running process is not touched (A5).
 */
export async function validateConfig(
  options: ValidateOptions,
  signal: AbortSignal,
): Promise<Validation> {
  const result = await runCommand(
    {
      command: options.vectorPath,
      args: ["validate", "--no-environment", "--config-yaml", "/dev/stdin", ...options.args],
      cwd: options.cwd,
      env: options.env,
      input: options.config,
      timeoutMs: options.timeoutMs,
      ...(options.lowPriority !== undefined && { lowPriority: options.lowPriority }),
    },
    signal,
  );
  signal.throwIfAborted();
  if (result.kind === "failed_to_start") {
    return invalid(`vector validate could not be started: ${result.cause.message}`, [], "");
  }
  const output = `${result.stdout}\n${result.stderr}`;
  if (result.kind === "timed_out") {
    return invalid(`vector validate did not end within ${options.timeoutMs / 1_000} s`, [], output);
  }
  if (result.code === 0) return { kind: "valid" };
  const problems = parseValidateReport(result.stdout);
  if (problems.length > 0) {
    const first = problems[0]?.message.split("\n")[0] ?? "";
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    return invalid(`Vector refuses the configuration: ${first}${more}`, problems, output);
  }
  const lastLine = output.trim().split("\n").at(-1) ?? "";
  const reason = `vector validate exited with code ${result.code}: ${lastLine}`;
  return invalid(reason, lastLine === "" ? [] : [problemOf(lastLine)], output);
}

function invalid(
  reason: string,
  problems: readonly ConfigProblem[],
  output: string,
): Validation & { kind: "invalid" } {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return { kind: "invalid", reason, problems, output: lines };
}
