import { isLoopback, proxyFor, type Proxy } from "./proxy.ts";

/** Where the agent plane is, how to get there, and how to trust it. */
export interface ServerAddress {
  /** With brackets when it is an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly target: string;
  readonly tls: boolean;
  /** PEM of the authority to trust instead of the system's. */
  readonly ca: Buffer | undefined;
  readonly proxy: Proxy | undefined;
}

/** Reads `host:port`, `http://host:port` or `https://host:port`. Undefined when it is none of them. */
export function parseServerAddress(
  text: string,
): Pick<ServerAddress, "host" | "port" | "target" | "tls"> | undefined {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
    return undefined;
  if (url.pathname !== "/" || url.search !== "" || url.username !== "") return undefined;
  const tls = url.protocol === "https:";
  const port = url.port === "" ? (tls ? 443 : 8081) : Number(url.port);
  return { host: url.hostname, port, target: `${url.hostname}:${port}`, tls };
}

/** The whole address: with the proxy that the environment names. Throws ProxyError when that is unusable. */
export function serverAddress(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  ca: Buffer | undefined,
): ServerAddress | undefined {
  const parsed = parseServerAddress(text);
  return parsed === undefined ? undefined : { ...parsed, ca, proxy: proxyFor(parsed, env) };
}

/** Whether what is sent there could be read or changed on the way. */
export function isExposed(address: Pick<ServerAddress, "host" | "tls">): boolean {
  return !address.tls && !isLoopback(address.host);
}
