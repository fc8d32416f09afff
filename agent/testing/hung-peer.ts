import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { createServer as createHttpServer } from "node:http";

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A peer that accepts connections, reads, and never answers. */
export async function hungPeer(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).resume());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A peer that takes what it is posted, and answers each request only after a while. */
export async function slowPeer(
  delayMs: number,
): Promise<AsyncDisposable & { readonly port: number; readonly bodies: readonly string[] }> {
  const bodies: string[] = [];
  const server = createHttpServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      setTimeout(() => {
        bodies.push(body);
        response.end();
      }, delayMs);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
