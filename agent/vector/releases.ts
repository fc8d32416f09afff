/** The release that this version of the product is tested with. */
export const vectorVersion = "0.58.0";

/** The oldest release that the agent can supervise. */
export const oldestVersion = "0.50.0";

/** Digests that are known beforehand, because the releases carry no signatures. */
const pinned: Readonly<Record<string, string>> = {
  "vector-0.58.0-x86_64-unknown-linux-gnu.tar.gz":
    "a4634bea859a7ad7064ff3dd6f6ad7eb0e8dd4493cc41657d84da8dd66f09d09",
  "vector-0.58.0-aarch64-unknown-linux-gnu.tar.gz":
    "06d9f9768feb0cb5c7cdfc12e0b737b22f1220967f5455f391a395361b5799e5",
  "vector-0.58.0-arm64-apple-darwin.tar.gz":
    "9182491597f1bdedb08d84a051616c62deea770a9d905b697712cc6526919449",
};

const triples: Readonly<Record<string, string>> = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "darwin-arm64": "arm64-apple-darwin",
};

export interface Release {
  readonly version: string;
  /** Name of the archive. */
  readonly archive: string;
  /** Address of the folder with the release's files, without a slash at its end. */
  readonly folder: string;
  /** The digest that is known beforehand; undefined when only the release's own list has one. */
  readonly sha256: string | undefined;
}

/** Whether a text is a release's version and nothing else. Only such a text becomes a path or an address (A17). */
export function isStrictVersion(text: string): boolean {
  return /^(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})$/.test(text);
}

/** This machine, as releases are named by it. */
export const hostPlatform = `${process.platform}-${process.arch}`;

/**
 * Where a release is. `baseUrl` is a folder that holds the files, or holds `{version}` where the version belongs;
 * undefined for the official one. Throws an Error for a text that is no version and a platform without releases.
 */
export function releaseOf(version: string, platform: string, baseUrl: string | undefined): Release {
  if (!isStrictVersion(version)) {
    throw new Error(
      `${JSON.stringify(version.slice(0, 50))} is no version such as ${vectorVersion}`,
    );
  }
  const triple = triples[platform];
  if (triple === undefined) throw new Error(`there is no release for ${platform}`);
  const archive = `vector-${version}-${triple}.tar.gz`;
  const base = baseUrl ?? "https://github.com/vectordotdev/vector/releases/download/v{version}";
  return {
    version,
    archive,
    folder: base.replaceAll("{version}", version).replace(/\/+$/, ""),
    sha256: pinned[archive],
  };
}

/** Finds a file's digest in the lines of a SHA256SUMS file: `<hex>  <name>`, the name with `*` when binary. */
export function digestIn(sums: string, name: string): string | undefined {
  for (const line of sums.split("\n")) {
    const [, digest, file] = /^([0-9a-fA-F]{64})\s+\*?(?:\.\/)?(\S+)\s*$/.exec(line) ?? [];
    if (file === name) return digest?.toLowerCase();
  }
  return undefined;
}
