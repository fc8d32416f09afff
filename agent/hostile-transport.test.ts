import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { connect, type Socket } from "node:net";
import { vi, expect } from "vitest";
import type { HostilePlane } from "./testing/hostile-plane.ts";
import { hostileSuite, slow, type HostileCase } from "./testing/hostile-suite.ts";

const http2Preface = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/** Cuts the connection; the next `times` ones meet something else than a server. */
function meeting(name: string, take: (socket: Socket) => void, times = 2): HostileCase {
  return {
    name,
    redials: true,
    act: async (_session, { plane }) => {
      let met = 0;
      const enough = Promise.withResolvers<void>();
      plane.takeSocket = (socket) => {
        take(socket);
        if (++met < times) return;
        plane.takeSocket = undefined;
        enough.resolve();
      };
      plane.cut();
      await enough.promise;
    },
  };
}

/** Something that reads and is never done with it. */
const swallow = (socket: Socket): void => void socket.resume();

const say =
  (...parts: readonly (string | Buffer)[]) =>
  (socket: Socket): void => {
    swallow(socket);
    for (const part of parts) socket.write(part);
  };

async function cutMidMessage(plane: HostilePlane, reset: boolean): Promise<void> {
  // A large message is under way in many segments when the line is cut.
  plane.sendState([{ pipelineId: "large", hash: "h", configYaml: "x".repeat(3_000_000) }], {
    complete: false,
  });
  await vi.waitFor(() => expect(plane.session).toBeDefined(), slow);
  plane.cut(reset);
}

hostileSuite("a line", [
  { name: "that is closed is redialled", redials: true, act: (_session, { plane }) => plane.cut() },
  {
    name: "that is reset is redialled",
    redials: true,
    act: (_session, { plane }) => plane.cut(true),
  },
  {
    name: "that is closed in the middle of a message is redialled",
    redials: true,
    act: (_session, { plane }) => cutMidMessage(plane, false),
  },
  {
    name: "that is reset in the middle of a message is redialled",
    redials: true,
    act: (_session, { plane }) => cutMidMessage(plane, true),
  },
  meeting("to what closes at once is tried again", (socket) => socket.end(), 3),
  meeting("to what resets at once is tried again", (socket) => socket.resetAndDestroy(), 3),
  meeting("to what accepts and never answers is given up", swallow, 1),
  meeting("to what speaks HTTP/1 is tried again", say("HTTP/1.1 400 Bad Request\r\n\r\n")),
  meeting("to what speaks something else is tried again", say("SSH-2.0-OpenSSH_9.6\r\n")),
  meeting("to what speaks TLS is tried again", say(Buffer.from([0x15, 3, 3, 0, 2, 2, 0x28]))),
  meeting("to what sends zeros is tried again", say(Buffer.alloc(65_536))),
  meeting(
    "to what sends a frame of sixteen megabytes is tried again",
    say(http2Preface, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]), Buffer.alloc(100_000)),
  ),
  meeting(
    "to what begins a frame and falls silent is given up",
    say(http2Preface, Buffer.from([0, 1, 0, 0])),
    1,
  ),
  meeting(
    "to what says that it goes away is tried again",
    say(http2Preface, Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
  ),
  meeting(
    "to what goes away for having been called too often is tried again",
    say(http2Preface, Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11])),
  ),
  meeting("to a web server that knows nothing of it is tried again", (socket) => {
    const server = createHttp2();
    server.on("stream", (stream: ServerHttp2Stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 404, "content-type": "text/html" });
      stream.end("<h1>Not found</h1>");
    });
    server.on("sessionError", () => {});
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const inner = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
      inner.on("error", () => {});
      inner.on("close", () => socket.destroy());
      socket.on("close", () => {
        inner.destroy();
        server.close();
      });
      socket.pipe(inner).pipe(socket);
      setTimeout(() => socket.destroy(), 300).unref();
    });
  }),
]);
