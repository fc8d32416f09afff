import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clockFinding } from "../doctor/network.ts";
import { mayBindLowPorts } from "../doctor/host.ts";
import type { DoctorReport } from "../doctor/doctor.ts";
import { selfCommand } from "../self-command.ts";
import { createAuthority } from "../testing/certificates.ts";
import { ConnectProxy } from "../testing/connect-proxy.ts";
import { FakeControlPlane } from "../testing/fake-control-plane.ts";

const slow = { timeout: 30_000, interval: 50 };
const self = selfCommand();
const vectorSim = join(import.meta.dirname, "../simulator/vector-sim");
const authority = createAuthority();

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "vectorflow-commands-"));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const environment = (more: Readonly<Record<string, string>>): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: folder,
  VECTOR_BIN: process.env["VECTOR_BIN"] ?? vectorSim,
  ...more,
});

/** Runs a command of the agent to its end, while this process goes on serving it. */
async function agent(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(self.command, [...self.args, ...args], {
    env: environment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece) => (stdout += String(piece)));
  child.stderr.on("data", (piece) => (stderr += String(piece)));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/** A page, over a connection of its own: one that was kept may be closed just then. */
async function page(port: number, path: string) {
  const url = `http://127.0.0.1:${port}${path}`;
  const response = await fetch(url, { headers: { connection: "close" } });
  return { status: response.status, text: await response.text() };
}

/** The levels of a doctor's findings, by what was looked at. */
async function levels(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout } = await agent(["doctor", "--json", ...args], env);
  const { findings } = JSON.parse(stdout) as DoctorReport;
  const find = (id: string) => findings.find((finding) => finding.id === id);
  return { code, find, level: (id: string) => find(id)?.level };
}

test("an agent reaches a server with a private authority through a proxy, and its pages tell so", async () => {
  await using plane = new FakeControlPlane();
  plane.tls = authority.issue(["vf.test"]);
  const port = Number((await plane.start()).split(":")[1]);
  await using proxy = new ConnectProxy({
    signIn: "agent:hunter2",
    routes: { "vf.test:443": { host: "127.0.0.1", port } },
  });
  const env = { HTTPS_PROXY: `http://agent:hunter2@${await proxy.start()}` };
  const ca = join(folder, "ca.pem");
  await writeFile(ca, authority.certificate);
  const dataDir = join(folder, "agent");
  const health = await freePort();
  const flags = ["--data-dir", dataDir, "--ca-file", ca];
  const child = spawn(
    self.command,
    [
      ...self.args,
      "run",
      ...flags,
      "--server",
      "https://vf.test",
      "--token",
      "vfe_token",
      "--health-listen",
      `127.0.0.1:${health}`,
    ],
    { env: environment(env), stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr.on("data", (piece) => (log += String(piece)));
  try {
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(1), slow);
    expect(new Set(proxy.targets)).toEqual(new Set(["vf.test:443"]));
    expect(await page(health, "/readyz")).toEqual({ status: 200, text: "ready\n" });
    expect((await page(health, "/metrics")).text).toMatch(/^vectorflow_agent_connected 1$/m);

    const shown = await agent(["status", "--json", "--data-dir", dataDir]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      agentPid: child.pid,
      connection: "connected",
      enrolled: true,
      nodeId: "node",
      lastConnected: expect.stringMatching(/^2\d{3}-/) as string,
    });

    const healthy = await levels(flags, env);
    for (const id of ["encryption", "proxy", "tcp", "tunnel", "tls", "grpc", "token", "clock"]) {
      expect([id, healthy.level(id)]).toEqual([id, "ok"]);
    }
    expect(healthy.find("agent")?.text).toContain(String(child.pid));
    expect(JSON.stringify(healthy.find("proxy"))).not.toContain("hunter2");

    plane.stop();
    await vi.waitFor(async () => {
      const { status, text } = await page(health, "/readyz");
      expect(status).toBe(503);
      expect(text).toMatch(/^not connected to the server: /);
    }, slow);
  } finally {
    await end(child);
  }
  expect(log).not.toMatch(/hunter2|vfe_token|vfn_token/);
  const after = await agent(["status", "--data-dir", dataDir]);
  expect(after.stdout).toMatch(/^connection +"no agent runs"$/m);
});

describe("doctor", () => {
  test("finds out what is wrong with the way to the server", async () => {
    await using plane = new FakeControlPlane();
    plane.tls = authority.issue(["localhost"], 5);
    const port = Number((await plane.start()).split(":")[1]);
    const flags = ["--data-dir", join(folder, "agent"), "--token", "vfe_token"];
    const ca = join(folder, "ca.pem");
    await writeFile(ca, authority.certificate);

    const untrusted = await levels([...flags, "--server", `https://localhost:${port}`]);
    expect(untrusted.code).toBe(1);
    expect(untrusted.find("tls")).toMatchObject({
      level: "problem",
      advice: expect.stringContaining("--ca-file") as string,
    });
    const misnamed = await levels([
      ...flags,
      "--server",
      `https://127.0.0.1:${port}`,
      "--ca-file",
      ca,
    ]);
    expect(misnamed.find("tls")?.advice).toContain(
      "use a name that is in the server's certificate",
    );
    const ending = await levels([
      ...flags,
      "--server",
      `https://localhost:${port}`,
      "--ca-file",
      ca,
    ]);
    expect(ending.find("tls")).toMatchObject({
      level: "warning",
      advice: "renew the server's certificate",
    });
    expect(ending.level("token")).toBe("ok");
    const plain = await levels([...flags, "--server", `http://localhost:${port}`]);
    expect([plain.level("tcp"), plain.level("grpc")]).toEqual(["ok", "problem"]);
    const nobody = await levels([...flags, "--server", `localhost:${await freePort()}`]);
    expect(nobody.find("tcp")?.advice).toContain("nothing listens there");
    expect(plane).toMatchObject({ enrolments: 0, messages: [] });
  });

  test("tells good tokens from bad ones, and uses none up", async () => {
    await using plane = new FakeControlPlane();
    plane.enrollmentToken = "vfe_good";
    const server = ["--server", await plane.start(), "--data-dir", join(folder, "agent")];
    const good = await levels([...server, "--token", "vfe_good"]);
    expect([good.level("token"), good.level("clock")]).toEqual(["ok", "ok"]);
    expect((await levels([...server, "--token", "vfe_bad"])).level("token")).toBe("problem");
    expect((await levels(server)).level("token")).toBe("warning");
    expect(plane.enrolments).toBe(0);
    // Enrolled, then removed on the server.
    expect((await agent(["enroll", ...server, "--token", "vfe_good"])).code).toBe(0);
    expect((await levels(server)).level("token")).toBe("ok");
    plane.nodeToken = "vfn_another";
    const removed = await levels(["--data-dir", join(folder, "agent")]);
    expect(removed.find("token")?.advice).toContain("enroll this host again");
  });

  test("says that there is no Vector, or one that is too old", async () => {
    const server = [
      "--server",
      `127.0.0.1:${await freePort()}`,
      "--data-dir",
      join(folder, "agent"),
    ];
    const missing = await levels(server, { VECTOR_BIN: join(folder, "none") });
    expect(missing.find("vector")).toMatchObject({
      level: "problem",
      advice: expect.stringContaining("install-vector") as string,
    });
    const old = join(folder, "old-vector");
    await writeFile(old, "#!/bin/sh\necho 'vector 0.49.1 (x86_64)'\n", { mode: 0o755 });
    expect((await levels(server, { VECTOR_BIN: old })).find("vector")?.text).toContain("too old");
  });

  test("prints a table for people", async () => {
    const { code, stdout } = await agent(["doctor", "--data-dir", join(folder, "agent")]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^problem +server +no server is named\n +→ give its address with --server$/m,
    );
    expect(stdout).toMatch(/^ok +data directory /m);
  });
});

test.each([
  [0, "ok"],
  [-1500, "ok"],
  [-8000, "warning"],
  [8000, "warning"],
  [4_000_000, "problem"],
  [undefined, "warning"],
])("a server that is %s ms ahead is %s", (aheadMs, level) => {
  expect(clockFinding(aheadMs).level).toBe(level);
});

test("reads from the capabilities whether low ports may be opened (A18)", () => {
  expect(mayBindLowPorts("CapEff:\t000001ffffffffff\n")).toBe(true);
  expect(mayBindLowPorts("CapEff:\t0000000000000400\n")).toBe(true);
  expect(mayBindLowPorts("CapEff:\t0000000000000000\n")).toBe(false);
  expect(mayBindLowPorts("")).toBe(false);
});

describe("install-vector", () => {
  const run = (...args: readonly string[]) =>
    spawnSync(self.command, [...self.args, "install-vector", ...args], {
      encoding: "utf8",
      env: environment({}),
    });

  test("refuses what is no version, before anything happens (A17)", () => {
    for (const text of ["latest", "../../etc", "0.58", "v0.58.0"]) {
      expect(run(text, "--data-dir", folder)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("needs a version such as") as string,
      });
    }
  });

  test("lists none, and says which Vector runs", () => {
    const { status, stdout } = run("--list", "--data-dir", folder);
    expect(status).toBe(0);
    expect(stdout).toMatch(/no version is installed in .*\nthe agent runs .* which comes before/);
  });

  test("says in a few words why not", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(run("0.58.0", "--url", url, "--data-dir", folder)).toMatchObject({
      status: 1,
      stderr: "Vector 0.58.0 was not installed: the server cannot be reached: ECONNREFUSED\n",
    });
  });
});
