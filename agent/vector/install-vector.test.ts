import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { describe, expect, test } from "vitest";
import { installVector, installedVersions } from "./install-vector.ts";
import { digestIn, hostPlatform, isStrictVersion, releaseOf, vectorVersion } from "./releases.ts";

interface Made {
  readonly archive: Buffer;
  readonly sha256: string;
  readonly name: string;
}

/** A release with the official layout for this machine, and a server that has it. */
async function release(
  listener: (made: Made) => RequestListener,
  made: { readonly version?: string; readonly says?: string; readonly platform?: string } = {},
) {
  const { version = vectorVersion, platform = hostPlatform } = made;
  const says = made.says ?? version;
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-release-"));
  const { archive: name } = releaseOf(version, platform, undefined);
  const top = name.replace(`${version}-`, "").replace(".tar.gz", "");
  await mkdir(join(folder, top, "bin"), { recursive: true });
  await mkdir(join(folder, top, "etc"), { recursive: true });
  await writeFile(
    join(folder, top, "bin/vector"),
    `#!/bin/sh\necho "vector ${says} (made by a test)"\n`,
    {
      mode: 0o755,
    },
  );
  await writeFile(join(folder, top, "LICENSE"), "MPL-2.0\n");
  await writeFile(join(folder, top, "etc/vector.yaml"), "sources: {}\n");
  await symlink("/etc/passwd", join(folder, top, "NOTICE"));
  const file = join(folder, "archive.tar.gz");
  await create({ gzip: true, cwd: folder, file, prefix: "./" }, [top]);
  const archive = await readFile(file);
  const sha256 = createHash("sha256").update(archive).digest("hex");
  const server = createServer(listener({ archive, sha256, name })).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const directory = join(folder, "installed");
  const install = (digest?: string) =>
    installVector({
      version,
      baseUrl: `http://127.0.0.1:${port}/v{version}/`,
      directory,
      progress: undefined,
      signal: AbortSignal.timeout(10_000),
      platform,
      ...(digest === undefined ? {} : { sha256: digest }),
    });
  return {
    install,
    archive,
    directory,
    sha256,
    name,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
}

/** Serves exactly the files of a release. */
const files =
  (version: string, sums?: (made: Made) => string) =>
  (made: Made): RequestListener =>
  (request, response) => {
    if (request.url === `/v${version}/${made.name}`) response.end(made.archive);
    else if (request.url === `/v${version}/vector-${version}-SHA256SUMS` && sums !== undefined) {
      response.end(sums(made));
    } else response.writeHead(404).end();
  };

describe("installVector", () => {
  test("unpacks what is needed of a good release, where the agent looks for it", async () => {
    await using good = await release(files(vectorVersion));
    const { path, trust } = await good.install(good.sha256);
    expect({ path, trust }).toEqual({
      path: join(good.directory, vectorVersion, "bin/vector"),
      trust: "pinned",
    });
    expect((await stat(path)).mode & 0o111).toBe(0o111);
    expect(await readdir(good.directory)).toEqual([vectorVersion]);
    // The link that is called NOTICE is no plain file, and nobody needs the example configuration.
    expect((await readdir(join(good.directory, vectorVersion))).toSorted()).toEqual([
      "LICENSE",
      "bin",
    ]);
  });

  test("demands the digest that is known beforehand, whatever the mirror says", async () => {
    await using forged = await release(
      files(vectorVersion, ({ sha256, name }) => `${sha256}  ${name}\n`),
      { platform: "linux-x64" },
    );
    await expect(forged.install()).rejects.toThrow(/checksum/);
    expect(await readdir(forged.directory)).toEqual([]);
  });

  test("takes the digest of another version from the release's own list", async () => {
    await using other = await release(
      files("0.57.3", ({ sha256, name }) => `${"0".repeat(64)}  another\n${sha256}  ${name}\n`),
      { version: "0.57.3" },
    );
    expect(await other.install()).toMatchObject({ trust: "release" });
    expect(await installedVersions(other.directory)).toEqual(["0.57.3"]);
  });

  test("installs nothing that nobody vouches for", async () => {
    await using silent = await release(files("0.57.3"), { version: "0.57.3" });
    await expect(silent.install()).rejects.toThrow("the server answered 404");
    await using wrong = await release(
      files("0.57.3", ({ name }) => `${"0".repeat(64)}  ${name}\n`),
      { version: "0.57.3" },
    );
    await expect(wrong.install()).rejects.toThrow(/checksum/);
    expect(await readdir(wrong.directory)).toEqual([]);
  });

  test("keeps several versions side by side, and touches none that is there", async () => {
    await using first = await release(files(vectorVersion));
    const { path } = await first.install(first.sha256);
    await mkdir(join(first.directory, "0.9.0/bin"), { recursive: true });
    const before = await stat(path);
    expect(await first.install("0".repeat(64))).toEqual({ path, trust: undefined });
    expect((await stat(path)).mtimeMs).toBe(before.mtimeMs);
    expect(await installedVersions(first.directory)).toEqual([vectorVersion, "0.9.0"]);
  });

  test("does not put an executable into place that is of another version", async () => {
    await using lying = await release(files(vectorVersion), { says: "0.49.0" });
    await expect(lying.install(lying.sha256)).rejects.toThrow("holds version 0.49.0");
    expect(await readdir(lying.directory)).toEqual([]);
  });

  test("continues a download that was cut off", async () => {
    const ranges: (string | undefined)[] = [];
    await using cut = await release(({ archive }) => (request, response) => {
      ranges.push(request.headers.range);
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.statusCode = from > 0 ? 206 : 200;
      response.setHeader("content-length", archive.length - from);
      if (from > 0) response.end(archive.subarray(from));
      else response.write(archive.subarray(0, 100), () => response.destroy());
    });
    await expect(cut.install(cut.sha256)).rejects.toThrow(/cut off; start again/);
    // How much of a small file reached the disk before the end is up to the kernel.
    await writeFile(join(cut.directory, `${cut.name}.partial`), cut.archive.subarray(0, 100));
    await cut.install(cut.sha256);
    expect(ranges).toEqual([undefined, "bytes=100-"]);
    expect(await readdir(cut.directory)).toEqual([vectorVersion]);
  });

  test("says in a few words that there is nobody", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    server.close();
    await once(server, "close");
    const directory = await mkdtemp(join(tmpdir(), "vectorflow-release-"));
    const nobody = installVector({
      version: vectorVersion,
      baseUrl: `http://127.0.0.1:${port}`,
      directory,
      progress: undefined,
      signal: AbortSignal.timeout(10_000),
      platform: "linux-x64",
    });
    await expect(nobody).rejects.toThrow(/cannot be reached: ECONNREFUSED/);
    await rm(directory, { recursive: true });
  });
});

test.each([
  ["0.58.0", true],
  ["10.0.12", true],
  ["v0.58.0", false],
  ["0.58", false],
  ["0.58.0-rc.1", false],
  ["00.58.0", false],
  ["../0.58.0", false],
  ["0.58.0\n", false],
  ["0.58.0;reboot", false],
  ["", false],
])("isStrictVersion(%j) is %s (A17)", (text, expected) => {
  expect(isStrictVersion(text)).toBe(expected);
  if (!expected) expect(() => releaseOf(text, "linux-x64", undefined)).toThrow(/is no version/);
});

test("names the release of the right architecture", () => {
  expect(releaseOf("0.58.0", "linux-arm64", undefined)).toMatchObject({
    archive: "vector-0.58.0-aarch64-unknown-linux-gnu.tar.gz",
    folder: "https://github.com/vectordotdev/vector/releases/download/v0.58.0",
    sha256: expect.stringMatching(/^06d9f976/) as string,
  });
  expect(() => releaseOf("0.58.0", "win32-x64", undefined)).toThrow("no release for win32-x64");
});

test("reads both styles of a checksum list", () => {
  const digest = "a".repeat(64);
  expect(digestIn(`${digest}  x.tar.gz\n`, "x.tar.gz")).toBe(digest);
  expect(digestIn(`${digest.toUpperCase()} *./x.tar.gz\r\n`, "x.tar.gz")).toBe(digest);
  expect(digestIn(`${digest}  x.tar.gz.sig\nshort  x.tar.gz\n`, "x.tar.gz")).toBeUndefined();
});
