import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { decoderOf, framesOf } from "../codec.ts";
import { type BuildContext, BuildError, type Send, type Source } from "../component.ts";
import { globToRegExp } from "../config-check.ts";
import { bool, number, strings, text } from "../config.ts";
import type { EventFields, SimEvent } from "../event.ts";
import { osMessage } from "../secrets.ts";

const maxBodyBytes = 100 * 1024 * 1024;
const target = "vector::sources::util::http::prelude";

class Refusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Opens a server on `host:port`; rejects when it cannot. */
export async function listen(server: Server, address: string): Promise<void> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  server.listen({ host, port: Number(address.slice(colon + 1)) });
  await once(server, "listening");
}

export function httpServer(context: BuildContext): Source {
  const { component, log, faults } = context;
  const address = text(component.options, "address") ?? "";
  if (
    text(component.options, "tls.crt_file") !== undefined ||
    bool(component.options, "tls.enabled", false)
  ) {
    throw new BuildError("vector-sim does not serve TLS");
  }
  const answer = requestHandler(context);
  return {
    kind: "source",
    async run(send, signal) {
      const server = createServer((req, res) => {
        void answer(req, res, send);
      });
      log.info(target, "Building HTTP server.", { address });
      try {
        if (faults.portTaken) throw Object.assign(new Error("taken"), { code: "EADDRINUSE" });
        await listen(server, address);
      } catch (error) {
        log.error(
          target,
          `An error occurred: TcpBind { source: Os { message: ${JSON.stringify(osMessage(error))} } }.`,
        );
        throw error;
      }
      if (!signal.aborted) await once(signal, "abort");
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

function requestHandler(
  context: BuildContext,
): (req: IncomingMessage, res: ServerResponse, send: Send) => Promise<void> {
  const { component, origin, meter } = context;
  const { options } = component;
  const decode = decoderOf(options);
  const path = text(options, "path") ?? "/";
  const strict = bool(options, "strict_path", true);
  const method = text(options, "method") ?? "POST";
  const pathKey = text(options, "path_key") ?? "path";
  const hostKey = text(options, "host_key") ?? "";
  const wantedHeaders = strings(options, "headers").map((name) => globToRegExp(name.toLowerCase()));
  const wantedQuery = strings(options, "query_parameters").map(globToRegExp);
  const user = text(options, "auth.username");
  const expected =
    user === undefined
      ? undefined
      : Buffer.from(`Basic ${btoa(`${user}:${text(options, "auth.password") ?? ""}`)}`);

  const receive = async (req: IncomingMessage, send: Send): Promise<void> => {
    const url = new URL(req.url ?? "/", "http://localhost");
    const base = path.endsWith("/") ? path.slice(0, -1) : path;
    const isUnder = url.pathname === base || url.pathname.startsWith(`${base}/`);
    const isExact = url.pathname.replace(/\/$/, "") === base;
    if (!(strict ? isExact : isUnder)) throw new Refusal(404, "Not found");
    if (req.method !== method) throw new Refusal(405, "HTTP method not allowed");
    const given = Buffer.from(req.headers.authorization ?? "");
    if (
      expected !== undefined &&
      (given.length !== expected.length || !timingSafeEqual(given, expected))
    ) {
      throw new Refusal(401, "Invalid username/password");
    }
    const body = await readBody(req);
    meter.receivedBytes("http", body.length);
    const extra: Record<string, string> = {
      source_type: component.type === "http" ? "http_server" : component.type,
    };
    if (hostKey !== "") extra[hostKey] = (req.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    for (const [name, value] of Object.entries(req.headers)) {
      if (wantedHeaders.some((wanted) => wanted.test(name))) extra[name] = String(value);
    }
    for (const [name, value] of url.searchParams) {
      if (wantedQuery.some((wanted) => wanted.test(name))) extra[name] = value;
    }
    let fields: readonly EventFields[];
    try {
      fields = framesOf(options, body.toString()).flatMap(decode);
    } catch (error) {
      meter.error("parser_failed", "processing");
      throw new Refusal(
        400,
        `Failed decoding body: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const events: readonly SimEvent[] = fields.map((own) => ({
      kind: "log",
      fields: { [pathKey]: url.pathname, ...own, timestamp: new Date(), ...extra },
      origin,
    }));
    meter.received(events);
    await send(events);
  };

  return async (req, res, send) => {
    try {
      await receive(req, send);
      res.writeHead(number(options, "response_code", 200)).end();
    } catch (error) {
      const { code, message } =
        error instanceof Refusal ? error : new Refusal(500, "internal error");
      res
        .writeHead(code, { "content-type": "application/json" })
        .end(JSON.stringify({ code, message }));
    }
  };
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) throw new Refusal(413, "Request body too large");
  }
  const body = Buffer.concat(chunks);
  const limit = { maxOutputLength: maxBodyBytes };
  try {
    switch (req.headers["content-encoding"] ?? "identity") {
      case "gzip":
        return await promisify<Buffer, object, Buffer>(gunzip)(body, limit);
      case "deflate":
        return await promisify<Buffer, object, Buffer>(inflate)(body, limit);
      case "identity":
        return body;
      default:
        throw new Refusal(415, `Unsupported encoding ${req.headers["content-encoding"]}`);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(422, "Failed decompressing payload");
  }
}
