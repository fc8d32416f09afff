import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client, credentials, status, type ServiceError } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { silentLogger } from "#common/logger.ts";
import { startEmbeddedPostgres } from "../db/embedded-postgres.ts";
import { exitOf, root, sooner, temporaryDataDir } from "./launched-stack.ts";

/** A server as a process of its own, which may open so many files and no more. */
async function startServer(openFiles: number) {
  const stack = new AsyncDisposableStack();
  const dataDir = stack.use(await temporaryDataDir("sockets"));
  const stop = new AbortController();
  const postgres = stack.use(await startEmbeddedPostgres(dataDir.path, silentLogger, stop.signal));
  const child = spawn(
    "/bin/sh",
    [
      "-c",
      `ulimit -n ${openFiles}; exec "$@"`,
      "sh",
      process.execPath,
      join(root, "server/main.ts"),
      "serve",
    ],
    {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        VECTORFLOW_DATA_DIR: dataDir.path,
        VECTORFLOW_DATABASE_URL: postgres.url,
        VECTORFLOW_SECRET: "a secret of forty characters for testing",
        VECTORFLOW_HTTP_LISTEN: "127.0.0.1:0",
        VECTORFLOW_AGENT_LISTEN: "127.0.0.1:0",
      },
    },
  );
  stack.defer(async () => {
    child.kill("SIGTERM");
    await exitOf(child);
  });
  for await (const line of createInterface({ input: child.stderr })) {
    if (!line.includes('"server started"')) continue;
    child.stderr.resume();
    const { listening } = JSON.parse(line) as { listening: { http: string; agents: string } };
    return { child, listening, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }
  throw new Error("the server ended");
}

/** Connects without a word. */
async function idle(address: string): Promise<Socket> {
  const [host = "", port = ""] = address.split(":");
  const socket = connect(Number(port), host);
  socket.on("error", () => {});
  socket.resume();
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  return socket;
}

/** Asks the agent plane something that it refuses: so it answers. */
function enrollCode(address: string): Promise<number | undefined> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/vectorflow.agent.v1.AgentService/Enroll",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.alloc(0),
      (error: ServiceError | null) => {
        client.close();
        resolve(error?.code);
      },
    );
  });
}

describe("connections", () => {
  test("that say nothing are closed on both listeners, and cannot fill them (S13)", async () => {
    await using server = await startServer(1024);
    const sockets = await Promise.all(
      [server.listening.http, server.listening.agents].map(async (address) => idle(address)),
    );
    // The agent plane notices by its keepalive, after half a minute.
    await sooner(() => expect(sockets.map(({ closed }) => closed)).toEqual([true, true]), 90_000);
  });

  test("that cannot be accepted do not end the server (S13)", async () => {
    await using server = await startServer(120);
    const addresses = [server.listening.http, server.listening.agents];
    const sockets = await Promise.all(
      Array.from({ length: 300 }, (_, at) => idle(addresses[at % 2] ?? "")),
    );
    for (const socket of sockets) socket.destroy();
    await sooner(async () => {
      const ready = await fetch(`http://${server.listening.http}/readyz`);
      expect(await ready.text()).toBe("ready\n");
      expect(await enrollCode(server.listening.agents)).toBe(status.UNAUTHENTICATED);
    });
    expect(server.child.exitCode).toBe(null);
  });
});
