import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { describe, expect, test } from "vitest";
import { openHttpPort, type HttpHandler, type HttpPortOptions } from "./http-port.ts";
import { makeCertificates } from "./testing/certificates.ts";

const hurry = { sniffMs: 50, headersMs: 50, requestMs: 100, checkMs: 10 };
const ok: HttpHandler = (request, response) => {
  request.resume();
  response.end("ok");
};

function open(handler: HttpHandler = ok, options: Partial<HttpPortOptions> = {}) {
  const onError = (error: Error): never => {
    throw error;
  };
  return openHttpPort({ host: "127.0.0.1", port: 0 }, "X", handler, {
    tls: undefined,
    onError,
    ...options,
  });
}

/** All that a server says until it closes the connection. */
async function hear(socket: net.Socket): Promise<string> {
  let heard = "";
  socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  await once(socket, "close");
  return heard;
}

describe("a client that does not go on sending", () => {
  const ways = [
    ["nothing", ""],
    ["half of the headers", "GET / HTTP/1.1\r\nhost: here\r\n"],
    ["half of the body", "POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 9\r\n\r\nhalf"],
  ] as const;

  test.for(ways)("is cut off after %s", async ([, sent]) => {
    await using port = await open((request) => void request.resume(), { timeouts: hurry });
    const socket = net.connect(port.port, "127.0.0.1");
    socket.write(sent);
    expect(await hear(socket)).toMatch(sent === "" ? /^$/ : /^HTTP\/1.1 408/);
  });

  test("is cut off with TLS too", async () => {
    const { cert, key } = makeCertificates().server;
    await using port = await open(ok, { timeouts: hurry, tls: { cert, key } });
    const socket = tls.connect({ port: port.port, host: "127.0.0.1", rejectUnauthorized: false });
    socket.write("GET / HTTP/1.1\r\nhost: here\r\n");
    expect(await hear(socket)).toMatch(/^HTTP\/1.1 408/);
  });
});

test("closing ends what is idle at once, and what is in flight gets its answer", async () => {
  const arrived = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const port = await open((request, response) => {
    request.resume();
    if (request.url !== "/slow") return void response.end("ok");
    arrived.resolve();
    void release.promise.then(() => response.end("late"));
  });
  const connect = (): net.Socket => net.connect(port.port, "127.0.0.1");
  const idle = connect();
  idle.write("GET / HTTP/1.1\r\nhost: here\r\n\r\n");
  await once(idle, "data");
  const channel = http2.connect(`http://127.0.0.1:${port.port}`);
  const stream = channel.request({ ":path": "/" }).resume();
  await once(stream, "end");
  const busy = connect();
  busy.write("GET /slow HTTP/1.1\r\nhost: here\r\n\r\n");
  await arrived.promise;

  const answer = hear(busy);
  const ends = [once(idle, "close"), once(channel, "close")];
  const closed = port[Symbol.asyncDispose]();
  await Promise.all(ends);
  release.resolve();
  expect(await answer).toContain("late");
  await closed;
});
