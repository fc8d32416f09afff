import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { CallCredentials, ChannelCredentials, Client } from "@grpc/grpc-js";
import { endIfSilent, nextHop, openTunnel, startTls, trustOf } from "./dial.ts";
import type { ServerAddress } from "./server-address.ts";

/** A connection to the server. A half-open one is noticed within half a minute (A10). */
export function openClient(address: ServerAddress): Client {
  const { host, port } = nextHop(address);
  const hop = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return new Client(hop, new DialledCredentials(address), {
    "grpc.default_authority": address.target,
    // The library's own reading of the proxy variables knows neither upper case nor ports nor deadlines.
    "grpc.enable_http_proxy": 0,
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

/**
 * Makes a session's connection of plain TCP to the next hop: tunnel, TLS, deadlines. The library's own
 * credentials wait for ever for a silent peer, and offer an address as a TLS name, which Node refuses.
 */
class DialledCredentials extends ChannelCredentials {
  readonly #address: ServerAddress;
  #trust: SecureContext | undefined;

  constructor(address: ServerAddress) {
    super();
    this.#address = address;
  }

  override _isSecure(): boolean {
    return this.#address.tls;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials?: CallCredentials,
  ): ReturnType<ChannelCredentials["_createSecureConnector"]> {
    const trust = (): SecureContext => (this.#trust ??= trustOf(this.#address.ca));
    return {
      connect: async (tcp: Socket) => {
        const { host, tls } = this.#address;
        const way = await openTunnel(tcp, this.#address, trust);
        const socket = tls ? await startTls(way, host, trust()) : way;
        endIfSilent(socket);
        return { socket, secure: tls };
      },
      waitForReady: async () => {},
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}
