import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { createApiClient } from "./client.ts";
import { runCli, type Ran } from "../testing/cli-world.ts";

/** A server that answers each call with the next status, and then with the last one for ever. */
async function startPeer(statuses: readonly number[]) {
  const calls: {
    readonly path: string;
    readonly key: string | undefined;
    readonly agent: string;
  }[] = [];
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    stream.resume();
    stream.on("end", () => {
      const key = headers["idempotency-key"];
      calls.push({
        path: String(headers[":path"]),
        key: typeof key === "string" ? key : undefined,
        agent: String(headers["user-agent"]),
      });
      const status = statuses[calls.length - 1] ?? statuses.at(-1);
      stream.respond(
        {
          ":status": 200,
          "content-type": "application/grpc",
          "grpc-status": `${status}`,
          "grpc-message": "as told",
        },
        { endStream: true },
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    calls,
    baseUrl: `http://127.0.0.1:${port}`,
    cli: (args: readonly string[]): Promise<Ran> =>
      runCli(args, {
        env: { VECTORFLOW_SERVER: `http://127.0.0.1:${port}`, VECTORFLOW_TOKEN: "vfa_abc" },
      }),
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const unavailable = 14;

describe("a call", () => {
  test("is sent again while the server cannot be reached, and then the command fails with 4", async () => {
    await using peer = await startPeer([unavailable]);
    const ran = await peer.cli(["environments", "list"]);
    expect(ran).toMatchObject({ code: 4, stdout: "" });
    expect(ran.stderr).toContain("cannot be reached: as told");
    expect(peer.calls).toHaveLength(3);
    expect(peer.calls[0]?.agent).toContain("vectorflow-cli/");
    // It changes nothing, and needs no key.
    expect(peer.calls[0]?.key).toBeUndefined();
  });

  test("that changes something has one key however often it is sent", async () => {
    await using peer = await startPeer([unavailable, unavailable, 9, 9]);
    const connection = { baseUrl: peer.baseUrl, token: "vfa_abc", ca: undefined };
    using client = createApiClient(connection, new AbortController().signal);
    for (const id of ["a", "b"]) {
      await expect(client.pipelines.undeployPipeline({ id })).rejects.toThrow("as told");
    }
    const [first, second, third, other] = peer.calls.map(({ key }) => key);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect([second, third]).toEqual([first, first]);
    expect(other).not.toBe(first);
  });

  test.each([
    ["unauthenticated", 16, 4],
    ["permission denied", 7, 1],
    ["failed precondition", 9, 1],
    ["internal", 13, 1],
    ["deadline exceeded", 4, 4],
  ])("that is refused with %s is not sent again", async (_name, status, code) => {
    await using peer = await startPeer([status]);
    expect(await peer.cli(["environments", "list"])).toMatchObject({ code });
    expect(peer.calls).toHaveLength(1);
  });
});

test("nobody at the address is told apart from a refusal", async () => {
  const peer = await startPeer([0]);
  await peer[Symbol.asyncDispose]();
  const ran = await peer.cli(["nodes", "list"]);
  expect(ran).toMatchObject({ code: 4 });
  expect(ran.stderr).toContain("cannot be reached");
});
