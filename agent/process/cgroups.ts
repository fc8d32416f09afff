import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ResourceLimits } from "../reconcile/desired-state.ts";
import { messageOf } from "../text.ts";

/** Where the agent itself lives below its delegated group, so that the group may have others beside it. */
const ownGroup = "agent";
/** The kernel's unit of time for CPU limits, in microseconds. */
const periodUs = 100_000;

interface Places {
  readonly mount: string;
  readonly ownCgroup: string;
}

const linux: Places = { mount: "/sys/fs/cgroup", ownCgroup: "/proc/self/cgroup" };

/**
 * Limits for the processes of pipelines, by control groups (cgroup v2) below the agent's own. The group tree is
 * touched when the first limit is asked for. Where the agent may not, or where there is none, it says why.
 */
export class Cgroups {
  readonly #places: Places;
  #base: Promise<string> | undefined;

  constructor(places: Places = linux) {
    this.#places = places;
  }

  /** Holds a process to the limits; a new limit takes effect at once. Returns why not, or undefined. */
  async limit(
    pipelineId: string,
    pid: number,
    limits: ResourceLimits,
  ): Promise<string | undefined> {
    try {
      const base = await (this.#base ??= this.#prepare());
      const group = groupOf(base, pipelineId);
      await mkdir(group, { recursive: true });
      await writeFile(join(group, "memory.max"), limitText(limits.memoryBytes));
      await writeFile(join(group, "cpu.max"), cpuText(limits.cpuCores));
      await writeFile(join(group, "cgroup.procs"), String(pid));
      return undefined;
    } catch (error) {
      this.#base = undefined;
      return `limits are not available on this host: ${messageOf(error)}`;
    }
  }

  /** Forgets a pipeline's group, once its process is gone. */
  async release(pipelineId: string): Promise<void> {
    const base = await this.#base?.catch(() => undefined);
    if (base === undefined) return;
    await rmdir(groupOf(base, pipelineId)).catch(() => {}); // It had no limits, or is busy still.
  }

  /** Finds the delegated group and lets groups below it have limits. */
  async #prepare(): Promise<string> {
    const { mount, ownCgroup } = this.#places;
    const controllers = await readFile(join(mount, "cgroup.controllers"), "utf8").catch(() => "");
    for (const name of ["memory", "cpu"]) {
      if (!controllers.split(/\s+/).includes(name)) {
        throw new Error(`there is no cgroup v2 with the ${name} controller`);
      }
    }
    const lines = await readFile(ownCgroup, "utf8");
    const [, path] = /^0::(\/.*)$/m.exec(lines) ?? [];
    if (path === undefined) throw new Error("the agent is in no cgroup v2");
    const own = join(mount, path);
    const base = basename(own) === ownGroup ? dirname(own) : own;
    if (base.endsWith(".service") && own === base) {
      // Groups below would keep systemd from starting the service again after a crash.
      throw new Error("systemd gives the agent no group of its own here; from 254 on it does");
    }
    if (own === base && path !== "/") {
      // A group with limits for those below it may have no process of its own.
      await mkdir(join(base, ownGroup), { recursive: true });
      await writeFile(join(base, ownGroup, "cgroup.procs"), String(process.pid));
    }
    await writeFile(join(base, "cgroup.subtree_control"), "+memory +cpu");
    return base;
  }
}

function groupOf(base: string, pipelineId: string): string {
  return join(base, `pipeline-${pipelineId}`);
}

function limitText(bytes: number): string {
  return bytes > 0 ? String(Math.round(bytes)) : "max";
}

function cpuText(cores: number): string {
  return cores > 0
    ? `${Math.max(1_000, Math.round(cores * periodUs))} ${periodUs}`
    : `max ${periodUs}`;
}
