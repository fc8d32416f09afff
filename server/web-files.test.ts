import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveWebFile } from "./web-files.ts";

const root = mkdtempSync(join(tmpdir(), "web-files-"));
const server = createServer((request, response) => void serveWebFile(root, request, response));

beforeAll(async () => {
  mkdirSync(join(root, "assets"));
  const files = [
    "index.html",
    "vrl-worker-a.js",
    "assets/vrl-worker-Ab-1_.js",
    "assets/index-a.js",
    "assets/vrl.wasm-x.gz",
  ];
  for (const name of files) writeFileSync(join(root, name), name);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true });
});

test.each([
  ["/", false],
  ["/pipelines/x", false],
  ["/assets/index-a.js", false],
  ["/assets/vrl.wasm-x.gz", false],
  ["/vrl-worker-a.js", false],
  ["/assets/vrl-worker-Ab-1_.js", true],
])("only the worker with the compiler may run WebAssembly: %s", async (path, allowed) => {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  const policy = answer.headers.get("content-security-policy") ?? "";
  expect(answer.status).toBe(200);
  expect(/script-src ([^;]+)/.exec(policy)?.[1]).toBe(
    allowed ? "'self' 'wasm-unsafe-eval'" : "'self'",
  );
  expect(policy).toContain("default-src 'none'");
});
