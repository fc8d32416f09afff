import { BlockList, isIP } from "node:net";

/** A proxy that is asked with CONNECT. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** The proxy itself is spoken to over TLS. */
  readonly tls: boolean;
  /** Value of Proxy-Authorization; undefined when the address holds no sign-in. */
  readonly authorization: string | undefined;
}

/** A variable that names a proxy is no usable address. Its text is not repeated: it may hold a password. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a host name or address means this machine. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  if (isIP(bare) === 4) return bare.startsWith("127.");
  return bare === "::1" || bare === "localhost" || bare.endsWith(".localhost");
}

/** A host without the brackets of an IPv6 address, in lower case. */
export function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, "").toLowerCase();
}

/**
 * The proxy for a server: HTTPS_PROXY for an encrypted session and HTTP_PROXY for another, in either case of
 * letters, unless NO_PROXY names the server. This machine itself is never asked for through a proxy.
 */
export function proxyFor(
  server: { readonly host: string; readonly port: number; readonly tls: boolean },
  env: Environment,
): Proxy | undefined {
  const name = server.tls ? "https_proxy" : "http_proxy";
  const text = valueOf(env, name);
  if (text === undefined || isLoopback(server.host)) return undefined;
  if (isExcluded(server, valueOf(env, "no_proxy") ?? "")) return undefined;
  return parseProxy(text, name);
}

function valueOf(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toUpperCase()] || undefined;
}

function parseProxy(text: string, name: string): Proxy {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new ProxyError(`${name.toUpperCase()} is no http:// or https:// address of a proxy`);
  }
  const tls = url.protocol === "https:";
  const signIn = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    host: bareHost(url.hostname),
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    tls,
    authorization:
      url.username === "" ? undefined : `Basic ${Buffer.from(signIn).toString("base64")}`,
  };
}

/** A percent sign that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** NO_PROXY: `*`, names with their sub-domains, addresses, and networks as `10.0.0.0/8`; each may have a port. */
function isExcluded(
  server: { readonly host: string; readonly port: number },
  list: string,
): boolean {
  const host = bareHost(server.host);
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      const [, name = entry, port] = /^(.*[^:]):(\d+)$/.exec(entry) ?? [];
      if (port !== undefined && isIP(bareHost(entry)) === 0 && Number(port) !== server.port) {
        return false;
      }
      return matches(host, isIP(bareHost(entry)) === 0 ? bareHost(name) : bareHost(entry));
    });
}

function matches(host: string, entry: string): boolean {
  if (entry === "*" || entry === host) return true;
  const [network = "", bits] = entry.split("/");
  if (bits !== undefined) return isInNetwork(host, network, Number(bits));
  const domain = entry.replace(/^\*?\./, "");
  return isIP(host) === 0 && (host === domain || host.endsWith(`.${domain}`));
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family) return false;
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  return list.check(host, family === 4 ? "ipv4" : "ipv6");
}
