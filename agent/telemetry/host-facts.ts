import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import os from "node:os";
import { promisify } from "node:util";
import type { PolicyFacts } from "../policy/host-policy.ts";
import type { VectorLookup } from "../vector/executable.ts";
import { version } from "#common/version.ts";

/** Facts about the host that change rarely. */
export interface HostFacts {
  readonly hostname: string;
  /** As in `linux/amd64`. */
  readonly os: string;
  readonly osRelease: string;
  readonly agentVersion: string;
  readonly cpuCount: number;
  readonly memoryTotalBytes: number;
  readonly inContainer: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly vector: VectorLookup;
  /** Undefined when the host has no policy. */
  readonly policy: PolicyFacts | undefined;
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export async function readHostFacts(
  labels: Readonly<Record<string, string>>,
  vector: VectorLookup,
  policy?: PolicyFacts,
): Promise<HostFacts> {
  return {
    hostname: os.hostname(),
    os: `${os.platform()}/${architectures[os.arch()] ?? os.arch()}`,
    osRelease: await osRelease(),
    agentVersion: version,
    cpuCount: os.availableParallelism(),
    memoryTotalBytes: os.totalmem(),
    inContainer: existsSync("/.dockerenv") || existsSync("/run/.containerenv"),
    labels,
    vector,
    policy,
  };
}

/** The kernel's id of this boot; empty where there is none. A copied disk never has the same. */
export async function readHostBootId(): Promise<string> {
  if (process.platform === "darwin") {
    const asked = await promisify(execFile)("sysctl", ["-n", "kern.bootsessionuuid"]).catch(
      () => undefined,
    );
    return asked?.stdout.trim() ?? "";
  }
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}

async function osRelease(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? `${os.type()} ${os.release()}`;
}
