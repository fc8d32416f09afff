import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join } from "node:path";

import { connectNodeAdapter } from "@connectrpc/connect-node";

import { fakeRoutes } from "../src/testing/fake-api.ts";
import { createLivelyWorld } from "./lively-world.ts";

/**
 * Serves the built client over a made-up fleet, for looking at pages without a server:
 * `node web/testing/preview-server.ts [port] [hosts]`.
 */
const port = Number(process.argv[2] ?? 4173);
const hostCount = Number(process.argv[3] ?? 40);
const dist = join(import.meta.dirname, "..", "dist");
const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
  "img-src 'self' data:; font-src 'self'; frame-ancestors 'none'";

async function serveFile(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const wanted = join(dist, pathname);
  const found = await stat(wanted).then(
    (stats) => stats.isFile() && wanted.startsWith(dist),
    () => false,
  );
  const file = found ? wanted : join(dist, "index.html");
  response.writeHead(200, {
    "content-type": types[extname(file)] ?? "application/octet-stream",
    "content-security-policy": policy,
  });
  createReadStream(file).pipe(response);
}

createServer(
  connectNodeAdapter({
    routes: fakeRoutes(createLivelyWorld(hostCount)),
    fallback: (request, response) => {
      const reply = response as ServerResponse;
      serveFile(request as IncomingMessage, reply).catch(() => reply.writeHead(500).end());
    },
  }),
).listen(port);
