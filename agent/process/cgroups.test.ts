import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Cgroups } from "./cgroups.ts";

/** A folder that looks like a cgroup v2 mount with the agent in a delegated group. */
async function hierarchy(controllers: string, path = "/machine/vf") {
  const root = await mkdtemp(join(tmpdir(), "vectorflow-cgroup-"));
  const mount = join(root, "mount");
  await mkdir(join(mount, path), { recursive: true });
  await writeFile(join(mount, "cgroup.controllers"), controllers);
  const ownCgroup = join(root, "self");
  await writeFile(ownCgroup, `0::${path}\n`);
  const base = join(mount, path.replace(/\/agent$/, ""));
  return {
    cgroups: new Cgroups({ mount, ownCgroup }),
    read: (file: string) => readFile(join(base, file), "utf8"),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

test("writes the kernel's words for the limits, and moves the process", async () => {
  await using at = await hierarchy("cpuset cpu io memory pids");
  const limits = { memoryBytes: 512 * 1024 * 1024, cpuCores: 1.5 };
  expect(await at.cgroups.limit("p1", 4711, limits)).toBeUndefined();
  expect(await at.read("pipeline-p1/memory.max")).toBe("536870912");
  expect(await at.read("pipeline-p1/cpu.max")).toBe("150000 100000");
  expect(await at.read("pipeline-p1/cgroup.procs")).toBe("4711");
  // A group that has groups with limits below it may have no process itself.
  expect(await at.read("agent/cgroup.procs")).toBe(String(process.pid));
  expect(await at.read("cgroup.subtree_control")).toBe("+memory +cpu");
  expect(await at.cgroups.limit("p1", 4711, { memoryBytes: 0, cpuCores: 0 })).toBeUndefined();
  expect(await at.read("pipeline-p1/memory.max")).toBe("max");
  expect(await at.read("pipeline-p1/cpu.max")).toBe("max 100000");
});

test("an agent that was put into a group of its own below stays there", async () => {
  await using at = await hierarchy("cpu memory", "/system.slice/vf.service/agent");
  expect(await at.cgroups.limit("p1", 1, { memoryBytes: 1, cpuCores: 0 })).toBeUndefined();
  await expect(at.read("agent/cgroup.procs")).rejects.toThrow("ENOENT");
  expect(await at.read("pipeline-p1/memory.max")).toBe("1");
});

test("takes no group from a systemd that would then not start the service again", async () => {
  await using at = await hierarchy("cpu memory", "/system.slice/vf.service");
  expect(await at.cgroups.limit("p1", 1, { memoryBytes: 1, cpuCores: 0 })).toMatch(/from 254 on/);
});

test.each([
  ["", /no cgroup v2 with the memory controller/],
  ["memory", /no cgroup v2 with the cpu controller/],
] as const)("says why limits are not available: controllers %j", async (controllers, reason) => {
  await using at = await hierarchy(controllers);
  expect(await at.cgroups.limit("p1", 1, { memoryBytes: 1, cpuCores: 1 })).toMatch(reason);
});
