import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { PolicyProblem } from "#common/policy/place-rules.ts";
import type { HostPolicy } from "#common/policy/policy.ts";
import { checkConfigText } from "#common/policy/read-config.ts";
import { UsageError } from "../config.ts";
import type { Fault } from "../process/vector-process.ts";
import { boundedText } from "../text.ts";
import { readPolicyFile, type PolicyFile } from "./policy-file.ts";

/** What the server is told of the policy: it can show it, and never widen it (P11). */
export interface PolicyFacts {
  readonly path: string;
  /** The normalized policy as JSON. */
  readonly json: string;
  /** Why the newest content of the file does not count; empty when it does. */
  readonly problem: string;
}

const lookEveryMs = 10_000;

/**
 * The host's own rules. The file is read at the start, where a broken one ends the agent, and looked at again
 * while it runs, where a broken one changes nothing and is told.
 */
export class HostPolicyKeeper {
  readonly #path: string | undefined;
  readonly #read: (path: string) => Promise<PolicyFile>;
  readonly #listeners = new Set<() => void>();
  #policy: HostPolicy | undefined;
  #fingerprint = "";
  #problem = "";

  private constructor(path: string | undefined, read: (path: string) => Promise<PolicyFile>) {
    this.#path = path;
    this.#read = read;
  }

  /** Without a path there are no rules. Throws a UsageError with all that is wrong with the file. */
  static async open(
    path: string | undefined,
    read: (path: string) => Promise<PolicyFile> = readPolicyFile,
  ): Promise<HostPolicyKeeper> {
    const keeper = new HostPolicyKeeper(path, read);
    if (path === undefined) return keeper;
    const file = await read(path);
    if (file.kind === "refused") {
      const lines = file.problems.map((problem) => `  ${problem}`).join("\n");
      throw new UsageError(`the host policy cannot be used, so that nothing is started:\n${lines}`);
    }
    keeper.#take(file);
    return keeper;
  }

  get facts(): PolicyFacts | undefined {
    if (this.#path === undefined) return undefined;
    return { path: this.#path, json: this.#fingerprint, problem: this.#problem };
  }

  /** Changes whenever other rules count. */
  get fingerprint(): string {
    return this.#fingerprint;
  }

  get stopsRunning(): boolean {
    return this.#policy?.enforce_running === true;
  }

  /**
   * Why a configuration must not run on this host; undefined when it may.
   *
   * @param certificates the folder of those that come with the pipeline.
   */
  judge(configYaml: string, certificates?: string): Fault | undefined {
    if (this.#policy === undefined) return undefined;
    const files = { resolve: realPath, ...(certificates === undefined ? {} : { certificates }) };
    return faultOf(checkConfigText(this.#policy, configYaml, files));
  }

  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Reads the file again. A broken one keeps the last good rules. */
  async look(log: Logger): Promise<void> {
    if (this.#path === undefined) return;
    const file = await this.#read(this.#path);
    if (file.kind === "refused") {
      const problem = boundedText(file.problems.join("; "), 1024);
      if (problem === this.#problem) return;
      this.#problem = problem;
      log.error("the changed host policy cannot be used; the one before stays", { problem });
      return;
    }
    this.#problem = "";
    if (file.fingerprint === this.#fingerprint) return;
    this.#take(file);
    log.info("the host policy has changed", { path: this.#path });
    for (const listener of this.#listeners) listener();
  }

  /** Looks at the file until the signal. */
  async run(clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
    while (this.#path !== undefined && !signal.aborted) {
      await clock.sleep(lookEveryMs, signal).catch(() => {});
      if (!signal.aborted) await this.look(log);
    }
  }

  #take(file: PolicyFile & { readonly kind: "read" }): void {
    this.#policy = file.policy;
    this.#fingerprint = file.fingerprint;
  }
}

function faultOf(problems: readonly PolicyProblem[]): Fault | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const place = [first.componentId, first.field].filter((part) => part !== "").join(", ");
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return {
    reason: `the policy of this host refuses it (${first.rule}): ${place === "" ? "" : `${place}: `}${first.message}${more}`,
    problems: problems.map(({ rule, componentId, field, message }) => ({
      componentId,
      field,
      message: `host policy, ${rule}: ${message}`,
    })),
    logTail: [],
  };
}

/** Where a path leads, as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), path.slice(parent.length));
  }
}
