import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import {
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { bareHost, type Proxy } from "./proxy.ts";
import type { ServerAddress } from "./server-address.ts";

/** Each step of a connection has this long: a peer that accepts and then says nothing is given up (A10). */
const stepMs = 10_000;
const maxAnswerBytes = 16 * 1024;

/** The proxy did not open the way to the server. */
export class TunnelError extends Error {
  override readonly name = "TunnelError";
}

/** What is trusted: the authority that was named, else the system's, else the ones that come with Node. */
export function trustOf(ca: Buffer | undefined): SecureContext {
  if (ca !== undefined) return createSecureContext({ ca });
  const system = getCACertificates("system");
  return createSecureContext(system.length > 0 ? { ca: system } : {});
}

/** Where TCP goes: the proxy, else the server itself. */
export function nextHop(address: ServerAddress): { readonly host: string; readonly port: number } {
  return address.proxy ?? { host: bareHost(address.host), port: address.port };
}

/** Opens TCP to the next hop. */
export async function openTcp(address: ServerAddress): Promise<Socket> {
  const socket = connectTcp(nextHop(address));
  return await withDeadline(socket, "the connection was not accepted", stepMs, async () => {
    await once(socket, "connect");
    return socket;
  });
}

/** Makes of TCP to the proxy a way to the server. Without a proxy there is nothing to do. */
export async function openTunnel(
  socket: Socket,
  address: ServerAddress,
  trust: () => SecureContext,
  deadlineMs = stepMs,
): Promise<Socket> {
  const { proxy } = address;
  if (proxy === undefined) return socket;
  const way = proxy.tls ? await startTls(socket, proxy.host, trust(), [], deadlineMs) : socket;
  return await withDeadline(way, "the proxy did not answer", deadlineMs, async () => {
    await askProxy(way, address.target, proxy);
    return way;
  });
}

/**
 * Starts TLS and verifies the peer's name, or its address: a server that is named by its address is sent no name,
 * which TLS does not allow, and its certificate is searched for the address.
 */
export async function startTls(
  socket: Socket,
  host: string,
  secureContext: SecureContext,
  protocols: readonly string[] = ["h2"],
  deadlineMs = stepMs,
): Promise<TLSSocket> {
  const bare = bareHost(host);
  const secure = connectTls({
    socket,
    host: bare,
    secureContext,
    ...(protocols.length > 0 ? { ALPNProtocols: [...protocols] } : {}),
    ...(isIP(bare) === 0 ? { servername: bare } : {}),
  });
  return await withDeadline(secure, "the server did not answer to TLS", deadlineMs, async () => {
    await once(secure, "secureConnect");
    return secure;
  });
}

/** Does the work; destroys the socket when it fails or takes too long. */
async function withDeadline<T>(
  socket: Socket,
  silence: string,
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => socket.destroy(new Error(silence)), deadlineMs);
  try {
    return await work();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function askProxy(socket: Socket, target: string, proxy: Proxy): Promise<void> {
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`];
  if (proxy.authorization !== undefined) lines.push(`Proxy-Authorization: ${proxy.authorization}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const head = await readHead(socket);
  const [, code, phrase = ""] = /^HTTP\/1\.[01] (\d{3})(?: ([ -~]{0,80}))?/.exec(head) ?? [];
  if (code?.startsWith("2") === true) return;
  const place = `the proxy ${proxy.host}:${proxy.port}`;
  if (code === "407") {
    throw new TunnelError(
      proxy.authorization === undefined
        ? `${place} asks for a sign-in: put it into the proxy's address as http://user:password@host:port`
        : `${place} does not accept the user and password in the proxy's address`,
    );
  }
  throw new TunnelError(
    code === undefined
      ? `${place} does not answer like an HTTP proxy`
      : `${place} answered ${code} ${phrase}`.trim(),
  );
}

/** Reads up to the empty line. What comes after it belongs to the server and is put back. */
async function readHead(socket: Socket): Promise<string> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      if (socket.readableEnded || socket.destroyed) {
        throw new TunnelError("the proxy closed the connection");
      }
      const over = new AbortController();
      await Promise.race([
        once(socket, "readable", { signal: over.signal }),
        once(socket, "close", { signal: over.signal }),
      ]).finally(() => over.abort());
      continue;
    }
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end >= 0) {
      const rest = bytes.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      return bytes.subarray(0, end).toString("latin1");
    }
    if (bytes.length > maxAnswerBytes) throw new TunnelError("the proxy's answer has no end");
  }
}

/** Ends a connection on which the peer says nothing at all within the time. */
export function endIfSilent(socket: Socket): void {
  const before = socket.bytesRead;
  const timer = setTimeout(() => {
    if (socket.bytesRead === before) socket.destroy(new Error("the server says nothing"));
  }, stepMs);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}
