import { Client, credentials } from "@grpc/grpc-js";

/** Where the agent plane is, and how to trust it. */
export interface ServerAddress {
  /** `host:port`. */
  readonly target: string;
  readonly tls: boolean;
  /** PEM of the authority to trust instead of the system's. */
  readonly ca: Buffer | undefined;
}

/** Reads `host:port`, `http://host:port` or `https://host:port`. Undefined when it is none of them. */
export function parseServerAddress(
  text: string,
): { readonly target: string; readonly tls: boolean } | undefined {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
    return undefined;
  if (url.pathname !== "/" || url.search !== "" || url.username !== "") return undefined;
  const tls = url.protocol === "https:";
  return { target: `${url.hostname}:${url.port === "" ? (tls ? 443 : 8081) : url.port}`, tls };
}

/** A connection to the server. A half-open one is noticed within half a minute (A10). */
export function openClient(address: ServerAddress): Client {
  const trust = address.tls
    ? credentials.createSsl(address.ca ?? null)
    : credentials.createInsecure();
  return new Client(address.target, trust, {
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.max_receive_message_length": 16 * 1024 * 1024,
    // Reconnecting is ours, with jitter (P8); the library's own backoff would come on top.
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.use_local_subchannel_pool": 1,
  });
}
