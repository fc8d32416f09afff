import { expect, test } from "vitest";
import { systemClock } from "#common/clock.ts";
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
