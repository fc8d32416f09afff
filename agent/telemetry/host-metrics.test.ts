import { expect, test } from "vitest";
import { systemClock } from "#common/clock.ts";
import { parseMounts, readDisks, readLinks } from "./linux-host.ts";
import { HostMetricsReader, physicalInterfaces, realFilesystems } from "./host-metrics.ts";

test("counts each real filesystem once, however often it is mounted (S3)", () => {
  const disk = { fs: "/dev/sda1", type: "ext4", size: 100, used: 40 };
  const found = realFilesystems([
    { ...disk, mount: "/var/lib/docker" },
    { ...disk, mount: "/" },
    { fs: "tmpfs", type: "tmpfs", size: 50, used: 1, mount: "/run" },
    { fs: "/dev/sdb1", type: "xfs", size: 200, used: 10, mount: "/data" },
  ]);
  expect(found.map(({ mount }) => mount)).toEqual(["/", "/data"]);
});

test("leaves out loopback, bridges and tunnels", () => {
  const link = (iface: string, internal = false, virtual = false) => ({ iface, internal, virtual });
  const links = [link("lo", true), link("eth0"), link("docker0"), link("veth1", false, true)];
  expect(physicalInterfaces(links)).toEqual(["eth0"]);
});

test("reads shares between nothing and everything", async () => {
  const metrics = await new HostMetricsReader(systemClock).read();
  for (const ratio of [metrics.cpuRatio, ...metrics.coreRatios]) {
    expect(ratio).toBeGreaterThanOrEqual(0);
    expect(ratio).toBeLessThanOrEqual(1);
  }
  expect(metrics.memoryAvailableBytes).toBeLessThanOrEqual(metrics.memoryTotalBytes);
});

test("reads mounts with odd names, and the disks and links that this machine has", async () => {
  expect(parseMounts("/dev/sda1 /mnt/my\\040disk ext4 rw 0 0\nproc /proc proc rw 0 0\n")).toEqual([
    { fs: "/dev/sda1", mount: "/mnt/my disk", type: "ext4" },
    { fs: "proc", mount: "/proc", type: "proc" },
  ]);
  if (process.platform !== "linux") return;
  const [root] = await readDisks(({ mount }) => mount === "/");
  expect(root?.size).toBeGreaterThan(root?.used ?? Number.NaN);
  expect((await readLinks()).find(({ iface }) => iface === "lo")).toMatchObject({ internal: true });
  const { filesystems } = await new HostMetricsReader(systemClock).read();
  expect(filesystems.map(({ mount }) => mount)).toContain("/");
  expect(filesystems.map(({ type }) => type)).not.toContain("proc");
});
