import type { HostPolicyKeeper } from "../policy/host-policy.ts";
import type { ResourceLimits } from "../reconcile/desired-state.ts";
import type { PipelineStore } from "../state/pipeline-store.ts";
import type { Cgroups } from "./cgroups.ts";
import { drainMs, type RunnerLimits } from "./limits.ts";
import type { ProcessSlot } from "./slot.ts";
import type { StatusKeeper } from "./status-keeper.ts";

export interface HostRulesDeps {
  readonly policy: HostPolicyKeeper;
  readonly cgroups: Cgroups;
  readonly store: PipelineStore;
  readonly limits: RunnerLimits;
}

/** Holds one pipeline to what its host allows: the policy, and limits of memory and CPU. */
export class HostRules {
  readonly #id: string;
  readonly #deps: HostRulesDeps;
  readonly #slot: ProcessSlot;
  readonly #kept: StatusKeeper;
  /** The policy and the configuration that were last held together. */
  #judged = "";
  /** The process and the limits that were last held together. */
  #limited = "";

  constructor(id: string, deps: HostRulesDeps, slot: ProcessSlot, kept: StatusKeeper) {
    this.#id = id;
    this.#deps = deps;
    this.#slot = slot;
    this.#kept = kept;
  }

  /**
   * Judges the effective configuration when it or the host's policy has changed. What runs goes on and is
   * told of, unless the policy itself says that it shall stop (P11).
   */
  async holdToPolicy(): Promise<void> {
    const { policy, limits, store } = this.#deps;
    const hash = this.#kept.record.effective?.hash;
    const judged = `${hash} ${policy.fingerprint}`;
    if (hash === undefined || judged === this.#judged) return;
    this.#judged = judged;
    const lookup = await store.loadBody(this.#id, hash);
    const fault = lookup.kind === "found" ? this.#slot.judge(lookup.body) : undefined;
    this.#kept.violation = fault?.reason ?? "";
    if (fault === undefined) return;
    this.#kept.say("error", fault.reason);
    if (policy.stopsRunning) await this.#slot.stop(drainMs(limits));
  }

  /** Gives the process the limits that it shall have now. Without any, control groups are left alone. */
  async holdToLimits(limits: ResourceLimits): Promise<void> {
    const pid = this.#slot.isRunning ? (this.#slot.process?.pid ?? 0) : 0;
    const isLimited = limits.memoryBytes > 0 || limits.cpuCores > 0;
    if (pid === 0 || (!isLimited && this.#limited === "")) return;
    const limited = JSON.stringify([pid, limits]);
    if (limited === this.#limited) return;
    this.#limited = limited;
    const problem = await this.#deps.cgroups.limit(this.#id, pid, limits);
    this.#kept.limitsProblem = problem ?? "";
  }

  /** The process is gone for good. */
  async release(): Promise<void> {
    if (this.#limited !== "") await this.#deps.cgroups.release(this.#id);
  }
}
