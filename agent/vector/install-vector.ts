import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract } from "tar";
import { download, downloadText } from "./download.ts";
import { scrubbedEnvironment } from "./environment.ts";
import { compareVersions, parseVersionLine } from "./executable.ts";
import { digestIn, hostPlatform, isStrictVersion, releaseOf } from "./releases.ts";
import { runCommand } from "./run-command.ts";

export interface InstallOptions {
  readonly version: string;
  /** Address of the folder with the release's files; undefined for the official one. */
  readonly baseUrl: string | undefined;
  /** Gets `<version>/bin/vector`. */
  readonly directory: string;
  /** Shows how far it is. */
  readonly progress: ((text: string) => void) | undefined;
  readonly signal: AbortSignal;
  readonly platform?: string;
  /** The digest to demand instead of the pinned one, for a release that a test made. */
  readonly sha256?: string;
}

/** What vouched for the archive. */
export type Trust = "pinned" | "release";

export interface Installed {
  readonly path: string;
  /** Undefined when the version had been there already. */
  readonly trust: Trust | undefined;
}

const probeMs = 20_000;
/** What is taken from an archive; everything else stays in it. */
const needed = /^(?:\.\/)?vector-[^/]+\/(?:bin\/vector|LICENSE|NOTICE|README\.md)$/;

/** The versions in a directory, newest first. */
export async function installedVersions(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((): string[] => []);
  return names.filter(isStrictVersion).toSorted(compareVersions).toReversed();
}

/**
 * Downloads a release, checks its digest, tries it and puts it beside the others. Nothing unchecked is unpacked,
 * and the folder of the version appears at once and complete; one that is there is not touched (A16). What had
 * come before an interruption is kept and continued. Throws an Error that tells in a few words why not.
 */
export async function installVector(options: InstallOptions): Promise<Installed> {
  const { directory, signal, progress } = options;
  const platform = options.platform ?? hostPlatform;
  const release = releaseOf(options.version, platform, options.baseUrl);
  const target = join(directory, release.version);
  const path = join(target, "bin/vector");
  if (await exists(path)) return { path, trust: undefined };
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const known = options.sha256 ?? release.sha256;
  const wanted = known ?? (await publishedDigest(release, signal));
  const archive = join(directory, `${release.archive}.partial`);
  try {
    await download(`${release.folder}/${release.archive}`, archive, {
      progress: progress && ((received, total) => progress(bar(release.version, received, total))),
      signal,
    });
  } finally {
    progress?.("");
  }
  if ((await digestOf(archive)) !== wanted) {
    await rm(archive);
    throw new Error(`the checksum of ${release.archive} is wrong; it was thrown away`);
  }
  await unpack(archive, release.archive, target, async (folder) => {
    if (platform === hostPlatform) await tryOut(folder, release.version, signal);
  });
  return { path, trust: known === undefined ? "release" : "pinned" };
}

async function publishedDigest(
  release: { readonly version: string; readonly archive: string; readonly folder: string },
  signal: AbortSignal,
): Promise<string> {
  const name = `vector-${release.version}-SHA256SUMS`;
  const sums = await downloadText(`${release.folder}/${name}`, signal);
  const digest = digestIn(sums, release.archive);
  if (digest === undefined) throw new Error(`${name} has no checksum of ${release.archive}`);
  return digest;
}

async function unpack(
  archive: string,
  name: string,
  target: string,
  check: (folder: string) => Promise<void>,
): Promise<void> {
  const temporary = await mkdtemp(join(target, "../.unpacking-"));
  try {
    let unpacked: string;
    try {
      await extract({
        file: archive,
        cwd: temporary,
        noMtime: true,
        // Plain files with these names only: no link, no device, no path that leads elsewhere (A12).
        filter: (path, entry) => needed.test(path) && "type" in entry && entry.type === "File",
      });
      const [folder = "", ...others] = await readdir(temporary);
      if (others.length > 0) throw new Error("there is more than one folder in it");
      unpacked = join(temporary, folder);
      await chmod(join(unpacked, "bin/vector"), 0o755);
    } catch (cause) {
      throw new Error(`${name} could not be unpacked`, { cause });
    }
    await check(unpacked);
    await chmod(unpacked, 0o755);
    await rename(unpacked, target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(archive, { force: true });
  }
}

/** Runs it once: an executable for another machine, or another version, is not put where the agent takes it. */
async function tryOut(folder: string, version: string, signal: AbortSignal): Promise<void> {
  const result = await runCommand(
    {
      command: join(folder, "bin/vector"),
      args: ["--version"],
      cwd: "/",
      env: scrubbedEnvironment(process.env),
      timeoutMs: probeMs,
    },
    signal,
  );
  signal.throwIfAborted();
  if (result.kind === "failed_to_start") {
    throw new Error(`it does not start on this machine: ${result.cause.message}`);
  }
  const found = result.kind === "ended" ? parseVersionLine(result.stdout)?.version : undefined;
  if (found === version) return;
  const text = result.stderr.trim().split("\n", 1)[0] ?? "";
  throw new Error(
    found === undefined
      ? `it does not run on this machine${text === "" ? "" : `: ${text}`}`
      : `the archive holds version ${found} instead of ${version}`,
  );
}

function bar(version: string, received: number, total: number): string {
  const ratio = total === 0 ? 0 : received / total;
  const filled = Math.round(ratio * 30);
  const megabytes = (received / 1e6).toFixed(1);
  return `Downloading Vector ${version} [${"#".repeat(filled)}${".".repeat(30 - filled)}] ${megabytes} MB`;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
