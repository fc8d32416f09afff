import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { createAuthority } from "../testing/certificates.ts";
import { ConnectProxy } from "../testing/connect-proxy.ts";
import { FakeControlPlane } from "../testing/fake-control-plane.ts";
import { openClient } from "./channel.ts";
import { openTcp, openTunnel, startTls, trustOf } from "./dial.ts";
import { probe, type ProbeAnswer } from "./probe.ts";
import { serverAddress } from "./server-address.ts";

const good = { kind: "node", token: "vfn_token" } as const;
const authority = createAuthority();
const ca = Buffer.from(authority.certificate);

/** Asks over a connection that is made the way a session's is. */
async function ask(
  server: string,
  env: Readonly<Record<string, string>> = {},
  trusted?: Buffer,
): Promise<ProbeAnswer> {
  const address = serverAddress(server, env, trusted);
  if (address === undefined) throw new Error(`${server} is no address`);
  const client = openClient(address);
  try {
    return await probe(client, good);
  } finally {
    client.close();
  }
}

async function tlsPlane(names: readonly string[], validDays?: number) {
  const plane = new FakeControlPlane();
  plane.tls = authority.issue(names, validDays);
  const port = Number((await plane.start()).split(":")[1]);
  return { plane, port };
}

describe("TLS", () => {
  test.each(["localhost", "127.0.0.1"])(
    "trusts a private authority for %s, and nothing else",
    async (host) => {
      const { plane, port } = await tlsPlane([host]);
      await using _plane = plane;
      expect(await ask(`https://${host}:${port}`, {}, ca)).toMatchObject({ kind: "accepted" });
      expect(await ask(`https://${host}:${port}`)).toMatchObject({
        kind: "unreachable",
        details: expect.stringMatching(/certificate/) as string,
      });
      const another = Buffer.from(createAuthority().certificate);
      expect(await ask(`https://${host}:${port}`, {}, another)).toMatchObject({
        kind: "unreachable",
      });
    },
  );

  test.each([
    ["127.0.0.1", ["localhost", "127.0.0.2"]],
    ["localhost", ["127.0.0.1", "vf.example.com"]],
  ])("refuses a certificate that is not for %s", async (host, names) => {
    const { plane, port } = await tlsPlane(names);
    await using _plane = plane;
    expect(await ask(`https://${host}:${port}`, {}, ca)).toMatchObject({
      kind: "unreachable",
      details: expect.stringMatching(/does not match certificate/) as string,
    });
  });

  test("refuses a certificate that has expired", async () => {
    const { plane, port } = await tlsPlane(["localhost"], -1);
    await using _plane = plane;
    expect(await ask(`https://localhost:${port}`, {}, ca)).toMatchObject({
      kind: "unreachable",
      details: expect.stringMatching(/expired/) as string,
    });
  });
});

describe("proxies", () => {
  afterEach(() => {
    delete process.env["https_proxy"];
  });

  test("an encrypted session goes through HTTPS_PROXY, and the server's name is still verified", async () => {
    const { plane, port } = await tlsPlane(["vf.test"]);
    await using _plane = plane;
    await using proxy = new ConnectProxy({
      routes: {
        "vf.test:8081": { host: "127.0.0.1", port },
        "other.test:8081": { host: "127.0.0.1", port },
      },
    });
    const env = { HTTPS_PROXY: `http://${await proxy.start()}` };
    expect(await ask("https://vf.test:8081", env, ca)).toMatchObject({ kind: "accepted" });
    expect(proxy.targets).toEqual(["vf.test:8081"]);
    expect(await ask("https://other.test:8081", env, ca)).toMatchObject({
      kind: "unreachable",
      details: expect.stringMatching(/does not match certificate/) as string,
    });
  });

  test("signs in at the proxy, and says so when that fails", async () => {
    await using plane = new FakeControlPlane();
    const port = Number((await plane.start()).split(":")[1]);
    await using proxy = new ConnectProxy({
      signIn: "agent:p@ss word",
      routes: { "vf.test:8081": { host: "127.0.0.1", port } },
    });
    const place = await proxy.start();
    const server = "http://vf.test:8081";
    expect(await ask(server, { http_proxy: `http://agent:p%40ss%20word@${place}` })).toMatchObject({
      kind: "accepted",
    });
    expect(proxy).toMatchObject({ targets: ["vf.test:8081"], refused: 0 });
    const without = await ask(server, { http_proxy: `http://${place}` });
    expect(without).toMatchObject({ kind: "unreachable" });
    expect(without.details).toContain("asks for a sign-in");
    const wrong = await ask(server, { http_proxy: `http://agent:hunter2@${place}` });
    expect(wrong.details).toContain("does not accept the user and password");
    expect(wrong.details).not.toContain("hunter2");
  });

  test("the proxy itself may need TLS", async () => {
    const { plane, port } = await tlsPlane(["vf.test"]);
    await using _plane = plane;
    await using proxy = new ConnectProxy({
      routes: { "vf.test:443": { host: "127.0.0.1", port } },
    });
    const [, plain = ""] = (await proxy.start()).split(":");
    const { certificate, key } = authority.issue(["localhost"]);
    const front = createTlsServer({ cert: certificate, key }, (socket) => {
      const way = connect({ host: "127.0.0.1", port: Number(plain) });
      socket.on("error", () => way.destroy());
      way.on("error", () => socket.destroy());
      socket.pipe(way).pipe(socket);
    }).listen(0, "127.0.0.1");
    await once(front, "listening");
    const address = front.address();
    const frontPort = typeof address === "object" ? address?.port : 0;
    const env = { HTTPS_PROXY: `https://localhost:${frontPort}` };
    expect(await ask("https://vf.test", env, ca)).toMatchObject({ kind: "accepted" });
    front.close();
  });

  test("goes directly when the environment of the process has a proxy that the agent was not given", async () => {
    // grpc-js looks there by itself; what the agent does is decided by the agent.
    process.env["https_proxy"] = "http://127.0.0.1:1";
    const { plane, port } = await tlsPlane(["localhost"]);
    await using _plane = plane;
    expect(await ask(`https://localhost:${port}`, {}, ca)).toMatchObject({ kind: "accepted" });
  });

  test("ends a tunnel that is closed before it is open", async () => {
    const server = createServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200"));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" ? bound?.port : 0;
    const env = { http_proxy: `http://127.0.0.1:${port}` };
    const address = serverAddress("http://vf.test:8081", env, undefined);
    if (address === undefined) throw new Error("no address");
    const socket = await openTcp(address);
    await expect(
      openTunnel(socket, address, () => expect.unreachable("needs no TLS")),
    ).rejects.toThrow("the proxy closed the connection");
    expect(socket.destroyed).toBe(true);
    server.close();
  });
});

test("gives up a proxy and a server that take the connection and say nothing (A10)", async () => {
  await using proxy = new ConnectProxy({ isSilent: true });
  const place = await proxy.start();
  const address = serverAddress("http://vf.test:8081", { http_proxy: place }, undefined);
  if (address === undefined) throw new Error("no address");
  const trust = trustOf(ca);
  const tunnel = openTunnel(await openTcp(address), address, () => trust, 100);
  await expect(tunnel).rejects.toThrow("the proxy did not answer");
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const bound = silent.address();
  const socket = connect(typeof bound === "object" ? (bound?.port ?? 0) : 0, "127.0.0.1");
  const secure = startTls(socket, "localhost", trust, ["h2"], 100);
  await expect(secure).rejects.toThrow("the server did not answer to TLS");
  silent.close();
});

test("asks about tokens without using them up", async () => {
  await using plane = new FakeControlPlane();
  plane.enrollmentToken = "vfe_good";
  const address = serverAddress(await plane.start(), {}, undefined);
  if (address === undefined) throw new Error("no address");
  const client = openClient(address);
  const answers = [];
  for (const credential of [
    good,
    { kind: "node", token: "vfn_bad" },
    { kind: "enrollment", token: "vfe_good" },
    { kind: "enrollment", token: "vfe_bad" },
    { kind: "none" },
  ] as const) {
    answers.push((await probe(client, credential)).kind);
  }
  const { clockAheadMs } = await probe(client, good);
  client.close();
  expect(answers).toEqual(["accepted", "refused", "accepted", "refused", "refused"]);
  expect(Math.abs(clockAheadMs ?? Number.NaN)).toBeLessThan(2000);
  expect(plane).toMatchObject({ enrolments: 0, heartbeats: [] });
});
