import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar";

/** The release that this version of the product is tested with. */
export const vectorVersion = "0.58.0";

const officialUrl = `https://github.com/vectordotdev/vector/releases/download/v${vectorVersion}`;
const connectMs = 5000;
/** A connection that brings nothing for this long is given up. */
const stalledMs = 30_000;

/** Releases by platform; the digests are pinned, because the releases carry no signatures. */
const releases: Readonly<Record<string, { readonly triple: string; readonly sha256: string }>> = {
  "linux-x64": {
    triple: "x86_64-unknown-linux-gnu",
    sha256: "a4634bea859a7ad7064ff3dd6f6ad7eb0e8dd4493cc41657d84da8dd66f09d09",
  },
  "linux-arm64": {
    triple: "aarch64-unknown-linux-gnu",
    sha256: "06d9f9768feb0cb5c7cdfc12e0b737b22f1220967f5455f391a395361b5799e5",
  },
  "darwin-arm64": {
    triple: "arm64-apple-darwin",
    sha256: "9182491597f1bdedb08d84a051616c62deea770a9d905b697712cc6526919449",
  },
};

export interface InstallOptions {
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

/**
 * Downloads the pinned release, checks its digest and unpacks it. Nothing unchecked is unpacked, and the folder
 * of the version appears at once and complete. What had come before an interruption is kept and continued.
 * Throws an Error that tells in a few words why not.
 */
export async function installVector(options: InstallOptions): Promise<void> {
  const release = releases[options.platform ?? `${process.platform}-${process.arch}`];
  if (release === undefined)
    throw new Error(`there is no release for ${process.platform}-${process.arch}`);
  const name = `vector-${vectorVersion}-${release.triple}.tar.gz`;
  await mkdir(options.directory, { recursive: true, mode: 0o755 });
  const archive = join(options.directory, `${name}.partial`);
  const base = (options.baseUrl ?? officialUrl).replace(/\/$/, "");
  await download(`${base}/${name}`, archive, options);
  const digest = await digestOf(archive);
  if (digest !== (options.sha256 ?? release.sha256)) {
    await rm(archive);
    throw new Error(`the checksum of ${name} is wrong; it was thrown away`);
  }
  const unpacked = await mkdtemp(join(options.directory, ".unpacking-"));
  try {
    await extract({ file: archive, cwd: unpacked, strip: 2 });
    await stat(join(unpacked, "bin/vector"));
    await rename(unpacked, join(options.directory, vectorVersion));
  } catch (cause) {
    throw new Error(`${name} could not be unpacked`, { cause });
  } finally {
    await rm(unpacked, { recursive: true, force: true });
    await rm(archive, { force: true });
  }
}

async function download(url: string, file: string, options: InstallOptions): Promise<void> {
  const have = await stat(file).then(
    ({ size }) => size,
    () => 0,
  );
  const stalled = new AbortController();
  let begun = false;
  let timer = setTimeout(() => stalled.abort(), connectMs);
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), stalledMs);
  };
  try {
    const response = await fetch(url, {
      headers: have > 0 ? { range: `bytes=${have}-` } : {},
      signal: AbortSignal.any([options.signal, stalled.signal]),
    });
    // Nothing more to come: the whole file was there already.
    if (response.status === 416) return;
    if (!response.ok || response.body === null)
      throw new Error(`the server answered ${response.status}`);
    begun = true;
    const continues = response.status === 206;
    let received = continues ? have : 0;
    const total = received + Number(response.headers.get("content-length") ?? 0);
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        alive();
        received += chunk.length;
        options.progress?.(bar(received, total));
        done(null, chunk);
      },
    });
    alive();
    await pipeline(
      Readable.fromWeb(response.body),
      meter,
      createWriteStream(file, { flags: continues ? "a" : "w" }),
    );
    if (received < total) throw new Error("it ended early");
  } catch (error) {
    options.signal.throwIfAborted();
    if (stalled.signal.aborted) throw new Error("the server does not answer", { cause: error });
    if (begun)
      throw new Error("the download was cut off; start again to continue it", { cause: error });
    const cause = (error as Error).cause as { code?: string } | undefined;
    if (cause?.code !== undefined)
      throw new Error(`the server cannot be reached: ${cause.code}`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    options.progress?.("");
  }
}

function bar(received: number, total: number): string {
  const ratio = total === 0 ? 0 : received / total;
  const filled = Math.round(ratio * 30);
  const megabytes = (received / 1e6).toFixed(1);
  return `Downloading Vector ${vectorVersion} [${"#".repeat(filled)}${".".repeat(30 - filled)}] ${megabytes} MB`;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
