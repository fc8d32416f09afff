import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { expect, test } from "vitest";
import { freePort } from "../server/db/embedded-postgres.ts";
import { installVector, vectorVersion } from "./vector-download.ts";

const name = `vector-${vectorVersion}-x86_64-unknown-linux-gnu.tar.gz`;

/** A release with the official layout, and a server that has it. */
async function release(listener: (archive: Buffer) => RequestListener) {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-release-"));
  const bin = join(folder, "vector-x86_64-unknown-linux-gnu/bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "vector"), "#!/bin/sh\necho vector\n", { mode: 0o755 });
  const file = join(folder, "archive.tar.gz");
  await create({ gzip: true, cwd: folder, file, prefix: "./" }, [
    "vector-x86_64-unknown-linux-gnu",
  ]);
  const archive = await readFile(file);
  const server = createServer(listener(archive)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const directory = join(folder, "installed");
  const install = (sha256: string) =>
    installVector({
      baseUrl: `http://127.0.0.1:${port}`,
      directory,
      progress: undefined,
      signal: AbortSignal.timeout(10_000),
      platform: "linux-x64",
      sha256,
    });
  return {
    install,
    archive,
    directory,
    sha256: createHash("sha256").update(archive).digest("hex"),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
}

test("unpacks a good release where the agent looks for it", async () => {
  await using good = await release((archive) => (request, response) => {
    response.statusCode = request.url === `/${name}` ? 200 : 404;
    response.end(archive);
  });
  await good.install(good.sha256);
  const file = await stat(join(good.directory, vectorVersion, "bin/vector"));
  expect(file.mode & 0o100).toBe(0o100);
  expect(await readdir(good.directory)).toEqual([vectorVersion]);
});

test("throws away what has a wrong checksum, and unpacks nothing of it", async () => {
  await using wrong = await release(
    (archive) => (_request, response) => void response.end(archive),
  );
  await expect(wrong.install("0".repeat(64))).rejects.toThrow(/checksum/);
  expect(await readdir(wrong.directory)).toEqual([]);
});

test("continues a download that was cut off", async () => {
  const ranges: (string | undefined)[] = [];
  await using cut = await release((archive) => (request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.statusCode = from > 0 ? 206 : 200;
    response.setHeader("content-length", archive.length - from);
    if (from > 0) response.end(archive.subarray(from));
    else response.write(archive.subarray(0, 100), () => response.destroy());
  });
  await expect(cut.install(cut.sha256)).rejects.toThrow(/cut off; start again/);
  // How much of a small file reached the disk before the end is up to the kernel.
  await writeFile(join(cut.directory, `${name}.partial`), cut.archive.subarray(0, 100));
  await cut.install(cut.sha256);
  expect(ranges).toEqual([undefined, "bytes=100-"]);
  expect(await readdir(cut.directory)).toEqual([vectorVersion]);
});

test("says in a few words that there is none, or nobody", async () => {
  await using none = await release(() => (_request, response) => {
    response.statusCode = 404;
    response.end();
  });
  await expect(none.install(none.sha256)).rejects.toThrow("the server answered 404");
  const nobody = installVector({
    baseUrl: `http://127.0.0.1:${await freePort()}`,
    directory: none.directory,
    progress: undefined,
    signal: AbortSignal.timeout(10_000),
    platform: "linux-x64",
  });
  await expect(nobody).rejects.toThrow(/cannot be reached/);
});
