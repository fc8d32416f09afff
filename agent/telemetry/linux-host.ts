import { execFile } from "node:child_process";
import { readFile, readdir, readlink, statfs } from "node:fs/promises";
import { promisify } from "node:util";

/** One mount, as /proc tells of it. */
export interface Mount {
  readonly fs: string;
  readonly mount: string;
  readonly type: string;
}

export interface Disk extends Mount {
  readonly size: number;
  readonly used: number;
}

export interface Link {
  readonly iface: string;
  readonly internal: boolean;
  readonly virtual: boolean;
}

const run = promisify(execFile);
const remoteMs = 5000;

/** Types whose server may be away; asking about one of these could block a thread of this process for ever. */
const remote = /^(?:nfs|cifs|smb|fuse|9p|ceph|glusterfs|afs|lustre|ncp)/;

/** Reads /proc/self/mounts. Spaces and the like are written as octal numbers there. */
export function parseMounts(text: string): readonly Mount[] {
  const plain = (field: string): string =>
    field.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
  return text.split("\n").flatMap((line) => {
    const [fs = "", mount, type] = line.split(" ");
    return mount === undefined || type === undefined
      ? []
      : [{ fs: plain(fs), mount: plain(mount), type }];
  });
}

/** The mounted filesystems that `isWanted` names, with their sizes in bytes. */
export async function readDisks(isWanted: (mount: Mount) => boolean): Promise<readonly Disk[]> {
  const text = await readFile("/proc/self/mounts", "utf8").catch(() => "");
  const disks = await Promise.all(
    parseMounts(text)
      .filter(isWanted)
      .map(async (mount) => {
        const sizes = await (remote.test(mount.type) ? askDf : askKernel)(mount.mount).catch(
          () => undefined, // Unmounted meanwhile, or a server that is away.
        );
        return sizes === undefined ? [] : [{ ...mount, ...sizes }];
      }),
  );
  return disks.flat();
}

type Sizes = Pick<Disk, "size" | "used">;

async function askKernel(mount: string): Promise<Sizes> {
  const { bsize, blocks, bfree } = await statfs(mount);
  return { size: blocks * bsize, used: (blocks - bfree) * bsize };
}

/** In a process of its own, which can be ended. */
async function askDf(mount: string): Promise<Sizes> {
  const { stdout } = await run("df", ["-kP", "--", mount], {
    timeout: remoteMs,
    killSignal: "SIGKILL",
  });
  const [, size, used] = /\s(\d+)\s+(\d+)\s+\d+\s+\d+%\s/.exec(stdout) ?? [];
  return { size: Number(size ?? 0) * 1024, used: Number(used ?? 0) * 1024 };
}

/** The network interfaces. In a container, where none stands for hardware, none counts as virtual. */
export async function readLinks(): Promise<readonly Link[]> {
  const folder = "/sys/class/net";
  const names = await readdir(folder).catch((): string[] => []);
  const links = await Promise.all(
    names.map(async (iface) => {
      const target = await readlink(`${folder}/${iface}`).catch(() => "");
      return { iface, internal: iface === "lo", virtual: target.includes("/devices/virtual/") };
    }),
  );
  const hasHardware = links.some(({ virtual }) => !virtual);
  return hasHardware ? links : links.map((link) => ({ ...link, virtual: false }));
}
