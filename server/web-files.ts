import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { basename, extname, join, normalize, sep } from "node:path";
import { createGzip } from "node:zlib";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

/** Headers of every answer to a browser. Styles are inline in places, because the components set them. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
    "img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; " +
    "frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

/**
 * The compiler of VRL is WebAssembly, which a policy must allow. A worker has the policy that its own script came with,
 * so that the page itself need not allow it.
 */
const workerScript = /^vrl-worker-[\w-]+\.js$/;
const workerPolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'";

/**
 * Serves the built web client from `root`. Paths without a file get the page, which has its own routes; files
 * with a hash in their name may be kept for ever.
 */
export async function serveWebFile(
  root: string,
  request: Request,
  response: Response,
): Promise<void> {
  const path = decodePath(request.url ?? "/");
  const file = path === undefined ? undefined : normalize(join(root, path));
  // Nothing outside the folder, whatever the path says.
  const inside = file !== undefined && (file === root || file.startsWith(root + sep));
  const found = inside && (await isFile(file)) ? file : undefined;
  if (found === undefined && extname(path ?? "") !== "") {
    sendText(response, 404, "not found");
    return;
  }
  const chosen = found ?? join(root, "index.html");
  if (found === undefined && !(await isFile(chosen))) {
    sendText(response, 503, "the web client is not built: run npm start, or npx vite build web");
    return;
  }
  const type = types[extname(chosen)] ?? "application/octet-stream";
  const hashed = chosen.includes(`${sep}assets${sep}`);
  const headers: Record<string, string> = {
    ...securityHeaders,
    ...(hashed && workerScript.test(basename(chosen))
      ? { "content-security-policy": workerPolicy }
      : {}),
    "content-type": type,
    "cache-control": hashed ? "public, max-age=31536000, immutable" : "no-cache",
    vary: "accept-encoding",
  };
  const gzip =
    /text|json|svg/.test(type) && /\bgzip\b/.test(String(request.headers["accept-encoding"]));
  if (gzip) headers["content-encoding"] = "gzip";
  writeHead(response, 200, headers);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const content = createReadStream(chosen);
  content.on("error", () => response.destroy());
  const target = response as NodeJS.WritableStream;
  if (gzip) content.pipe(createGzip()).pipe(target);
  else content.pipe(target);
}

function decodePath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split(/[?#]/, 1)[0] ?? "/");
  } catch {
    return undefined;
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

function writeHead(response: Response, code: number, headers: Record<string, string>): void {
  // The two response classes have overloads that do not unite.
  (response as ServerResponse).writeHead(code, headers);
}

/** Answers with a short text. */
export function sendText(
  response: Response,
  code: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  writeHead(response, code, {
    ...securityHeaders,
    "content-type": type,
    "cache-control": "no-store",
  });
  (response as ServerResponse).end(text.endsWith("\n") ? text : `${text}\n`);
}
