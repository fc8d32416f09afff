import { readFile } from "node:fs/promises";
import os from "node:os";
import type { Clock } from "#common/clock.ts";
import { readDisks, readLinks, type Disk, type Link } from "./linux-host.ts";

export interface Filesystem {
  readonly mount: string;
  readonly type: string;
  readonly totalBytes: number;
  readonly usedBytes: number;
}

export interface NetworkDelta {
  readonly name: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receivedErrors: number;
  readonly sentErrors: number;
}

export interface HostMetrics {
  /** Busy share of all cores since the last reading; waiting for I/O is not busy (S3). */
  readonly cpuRatio: number;
  readonly coreRatios: readonly number[];
  readonly load: readonly number[];
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  readonly swapTotalBytes: number;
  readonly swapUsedBytes: number;
  readonly filesystems: readonly Filesystem[];
  readonly interfaces: readonly NetworkDelta[];
  readonly uptimeSeconds: number;
}

/** Asking for these may start programs, so they are asked for seldom. */
const disksEveryMs = 60_000;
const linksEveryMs = 300_000;

/** Filesystems that hold nobody's data. */
const unreal = new Set([
  "tmpfs",
  "devtmpfs",
  "ramfs",
  "squashfs",
  "efivarfs",
  "overlay",
  "iso9660",
]);

type Counters = readonly [
  received: number,
  sent: number,
  receivedErrors: number,
  sentErrors: number,
];

/** Reads the host's metrics. CPU and network are deltas between two readings. */
export class HostMetricsReader {
  readonly #clock: Clock;
  #cpus = os.cpus();
  #filesystems: readonly Filesystem[] = [];
  #links: readonly string[] = [];
  #counters = new Map<string, Counters>();
  #disksAt = 0;
  #linksAt = 0;
  #refreshing: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(): Promise<HostMetrics> {
    // Slow questions are answered in the background; a reading takes what is known (A10).
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    if (this.#disksAt === 0) await this.#refreshing;
    const cores = this.#readCores();
    const memory = await readMemory();
    return {
      ...memory,
      cpuRatio: cores.total,
      coreRatios: cores.each,
      load: os.loadavg(),
      filesystems: this.#filesystems,
      interfaces: await this.#readLinks(),
      uptimeSeconds: os.uptime(),
    };
  }

  /** Node's idle is the kernel's idle alone; its sum leaves out the time that waited for I/O. */
  #readCores(): { readonly total: number; readonly each: readonly number[] } {
    const now = os.cpus();
    const before = this.#cpus;
    this.#cpus = now;
    let busyAll = 0;
    let all = 0;
    const each = now.map(({ times }, index) => {
      const earlier = before[index]?.times ?? times;
      const idle = times.idle - earlier.idle;
      const busy =
        times.user -
        earlier.user +
        times.nice -
        earlier.nice +
        times.sys -
        earlier.sys +
        times.irq -
        earlier.irq;
      busyAll += busy;
      all += busy + idle;
      return busy + idle > 0 ? clampRatio(busy / (busy + idle)) : 0;
    });
    return { total: all > 0 ? clampRatio(busyAll / all) : 0, each };
  }

  async #refresh(): Promise<void> {
    const now = this.#clock.now().getTime();
    const disksDue = now - this.#disksAt >= disksEveryMs;
    const linksDue = now - this.#linksAt >= linksEveryMs;
    if (!disksDue && !linksDue) return;
    // On Linux the kernel's own files tell: the library for other systems costs megabytes.
    const host = process.platform === "linux" ? linux : await otherHost();
    if (disksDue) {
      this.#filesystems = realFilesystems(await host.disks());
      this.#disksAt = now;
    }
    if (linksDue) {
      this.#links = physicalInterfaces(await host.links());
      this.#linksAt = now;
    }
  }

  async #readLinks(): Promise<readonly NetworkDelta[]> {
    const deltas: NetworkDelta[] = [];
    const counters = new Map<string, Counters>();
    for (const name of this.#links) {
      const now = await readCounters(name);
      if (now === undefined) continue;
      counters.set(name, now);
      const before = this.#counters.get(name);
      if (before === undefined) continue;
      const delta = (index: 0 | 1 | 2 | 3): number => Math.max(0, now[index] - before[index]);
      deltas.push({
        name,
        receivedBytes: delta(0),
        sentBytes: delta(1),
        receivedErrors: delta(2),
        sentErrors: delta(3),
      });
    }
    this.#counters = counters;
    return deltas;
  }
}

interface Host {
  disks(): Promise<readonly Disk[]>;
  links(): Promise<readonly Link[]>;
}

const linux: Host = {
  disks: async () => await readDisks(isReal),
  links: readLinks,
};

async function otherHost(): Promise<Host> {
  const { default: si } = await import("systeminformation");
  return {
    disks: async () => await si.fsSize().catch(() => []),
    async links() {
      const links = await si.networkInterfaces().catch(() => []);
      return Array.isArray(links) ? links : [links];
    },
  };
}

function isReal({ fs, type, mount }: Pick<Disk, "fs" | "type" | "mount">): boolean {
  if (type === "overlay") return mount === "/";
  return !unreal.has(type.toLowerCase()) && fs !== type && fs !== "none";
}

function clampRatio(ratio: number): number {
  return Math.min(1, Math.max(0, ratio));
}

/** Each real filesystem once, however often it is mounted. A container's root counts when there is no other. */
export function realFilesystems(found: readonly Disk[]): readonly Filesystem[] {
  const byDevice = new Map<string, Filesystem>();
  for (const { fs, type, size, used, mount } of found) {
    if (size <= 0) continue;
    if (unreal.has(type.toLowerCase()) && !(mount === "/" && type === "overlay")) continue;
    const known = byDevice.get(fs);
    if (known !== undefined && known.mount.length <= mount.length) continue;
    byDevice.set(fs, { mount, type, totalBytes: size, usedBytes: used });
  }
  return [...byDevice.values()];
}

/** Interfaces that stand for hardware, or for the whole network of a container. */
export function physicalInterfaces(found: readonly Link[]): readonly string[] {
  return found
    .filter(
      ({ internal, virtual, iface }) =>
        !internal && !virtual && !/^(docker|veth|br-|virbr|tun|tap|cni)/.test(iface),
    )
    .map(({ iface }) => iface);
}

async function readCounters(name: string): Promise<Counters | undefined> {
  const folder = `/sys/class/net/${name}/statistics`;
  const files = ["rx_bytes", "tx_bytes", "rx_errors", "tx_errors"];
  try {
    const values = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, "utf8")));
    const [received = 0, sent = 0, receivedErrors = 0, sentErrors = 0] = values.map(Number);
    return [received, sent, receivedErrors, sentErrors];
  } catch {
    // Gone, or a system without these files.
    return undefined;
  }
}

async function readMemory(): Promise<
  Pick<
    HostMetrics,
    "memoryTotalBytes" | "memoryAvailableBytes" | "swapTotalBytes" | "swapUsedBytes"
  >
> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN) * 1024;
  const total = bytes("MemTotal");
  if (Number.isNaN(total)) {
    return {
      memoryTotalBytes: os.totalmem(),
      memoryAvailableBytes: os.freemem(),
      swapTotalBytes: 0,
      swapUsedBytes: 0,
    };
  }
  return {
    memoryTotalBytes: total,
    memoryAvailableBytes: bytes("MemAvailable"),
    swapTotalBytes: bytes("SwapTotal") || 0,
    swapUsedBytes: bytes("SwapTotal") - bytes("SwapFree") || 0,
  };
}
