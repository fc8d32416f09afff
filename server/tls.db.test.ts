import { spawn } from "node:child_process";
import { once } from "node:events";
import https from "node:https";
import http2 from "node:http2";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Client, credentials, status } from "@grpc/grpc-js";
import { describe, expect, inject, test } from "vitest";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { makeCertificates } from "./testing/certificates.ts";
import { eventually } from "./testing/eventually.ts";
import { FakeAgent } from "./testing/fake-agent.ts";
import { adminPassword, startTestServer } from "./testing/test-server.ts";

/** A server with a certificate of a private authority on both listeners. */
async function startTlsServer() {
  const { ca, server: own } = makeCertificates();
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-tls-"));
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await writeFile(certFile, own.cert);
  await writeFile(keyFile, own.key, { mode: 0o600 });
  const server = await startTestServer(inject("templateUrl"), {
    VECTORFLOW_TLS_CERT_FILE: certFile,
    VECTORFLOW_TLS_KEY_FILE: keyFile,
  });
  const [host = "", port = ""] = server.server.listening.http.split(":");
  return {
    ca,
    server,
    host,
    port: Number(port),
    baseUrl: `https://${server.server.listening.http}`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function setUpOver(baseUrl: string, ca: string, setupUrl: string | undefined) {
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: "1.1",
    nodeOptions: { ca },
  });
  const auth = createClient(AuthService, transport);
  const login = { email: "admin@example.com", password: adminPassword };
  const { environmentId } = await auth.completeSetup({
    ...login,
    setupToken: new URL(setupUrl ?? "").searchParams.get("token") ?? "",
    name: "Admin",
    teamName: "Platform",
    environmentName: "Production",
  });
  const { sessionToken } = await auth.login(login);
  const headers = { authorization: `Bearer ${sessionToken}` };
  const environments = createClient(EnvironmentService, transport);
  return environments.createEnrollmentToken({ environmentId }, { headers });
}

describe("the web listener by TLS", () => {
  test("speaks HTTP/1.1 and, when a client asks for it, HTTP/2", async () => {
    await using stack = await startTlsServer();
    const { ca, host, port, baseUrl } = stack;
    const plain = https.get(`${baseUrl}/readyz`, { ca, agent: false });
    const [response] = (await once(plain, "response")) as [import("node:http").IncomingMessage];
    expect([response.statusCode, response.httpVersion]).toEqual([200, "1.1"]);
    response.resume();
    for (const [offered, chosen] of [
      [["h2", "http/1.1"], "h2"],
      [["http/1.1"], "http/1.1"],
    ] as const) {
      const socket = tls.connect({ host, port, ca, ALPNProtocols: [...offered] });
      await once(socket, "secureConnect");
      expect(socket.alpnProtocol).toBe(chosen);
      socket.destroy();
    }
    const session = http2.connect(baseUrl, { ca });
    const stream = session.request({ ":path": "/readyz" });
    const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    expect(headers[":status"]).toBe(200);
    session.destroy();
  });

  test("speaks Connect, gRPC-Web and gRPC over either, and refuses who does not trust it", async () => {
    await using stack = await startTlsServer();
    const { ca, baseUrl } = stack;
    const nodeOptions = { ca };
    const transports = [
      createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      createConnectTransport({ baseUrl, httpVersion: "2", nodeOptions }),
      createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      createGrpcTransport({ baseUrl, nodeOptions }),
    ];
    for (const transport of transports) {
      const auth = createClient(AuthService, transport);
      expect(await auth.getSetupState({})).toMatchObject({ setupRequired: true });
    }
    const stranger = createClient(
      AuthService,
      createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    );
    const refused = await stranger
      .getSetupState({})
      .catch((error: unknown) => ConnectError.from(error));
    expect(refused).toMatchObject({ code: Code.Internal });
  });

  test("marks its cookie as one for TLS only", async () => {
    await using stack = await startTlsServer();
    await setUpOver(stack.baseUrl, stack.ca, stack.server.server.setupUrl);
    const request = https.request(`${stack.baseUrl}/vectorflow.v1.AuthService/Login`, {
      method: "POST",
      ca: stack.ca,
      agent: false,
      headers: { "content-type": "application/json" },
    });
    request.end(JSON.stringify({ email: "admin@example.com", password: adminPassword }));
    const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    response.resume();
    expect(response.headers["set-cookie"]).toEqual([expect.stringMatching(/; Secure$/)]);
  });
});

test("the agent plane by TLS takes agents that trust its private authority, and no others", async () => {
  await using stack = await startTlsServer();
  const created = await setUpOver(stack.baseUrl, stack.ca, stack.server.server.setupUrl);
  expect(created.agentUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  // By name: the client library of both sides refuses to check a certificate against an address.
  const target = `localhost:${new URL(created.agentUrl).port}`;
  const trusting = new Client(target, credentials.createSsl(Buffer.from(stack.ca)));
  await using agent = new FakeAgent(trusting, "host");
  await agent.enroll(created.token);
  await agent.connect();
  await eventually(() => expect(agent.desired).toHaveLength(1));
  for (const trust of [credentials.createSsl(), credentials.createInsecure()]) {
    const client = new Client(target, trust);
    await using stranger = new FakeAgent(client, "stranger");
    await expect(stranger.enroll(created.token)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    client.close();
  }
  trusting.close();
});

test("a real agent enrolls by TLS with the authority that it was given", async () => {
  await using stack = await startTlsServer();
  const created = await setUpOver(stack.baseUrl, stack.ca, stack.server.server.setupUrl);
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-tls-agent-"));
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, stack.ca);
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, "../agent/main.ts"),
      "enroll",
      "--server",
      `https://localhost:${new URL(created.agentUrl).port}`,
      "--token",
      created.token,
      "--ca-file",
      caFile,
      "--data-dir",
      join(folder, "data"),
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const output = child.stdout.setEncoding("utf8").toArray();
  await once(child, "exit");
  expect((await output).join("")).toMatch(/^enrolled as node \w+ in Production/);
  await rm(folder, { recursive: true, force: true });
});
