import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";

export interface ConnectProxyOptions {
  /** `user:password` that it asks for. */
  readonly signIn?: string;
  /** Where connections really go, for names that only the proxy knows. */
  readonly routes?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Takes connections and never says a word. */
  readonly isSilent?: boolean;
}

/** A proxy that knows CONNECT and nothing else. */
export class ConnectProxy implements AsyncDisposable {
  /** What was asked for, in order. */
  readonly targets: string[] = [];
  /** Requests that had no good sign-in. */
  refused = 0;
  readonly #options: ConnectProxyOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((_request, response) => response.writeHead(405).end());

  constructor(options: ConnectProxyOptions = {}) {
    this.#options = options;
  }

  /** Listens on loopback. Returns `host:port`. */
  async start(): Promise<string> {
    this.#server.on("connection", (socket) => this.#track(socket));
    this.#server.on("connect", (request, socket, head) => {
      // The socket of an HTTP server over TCP is one of node:net.
      this.#connect(
        request.url ?? "",
        request.headers["proxy-authorization"],
        socket as Socket,
        head,
      );
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #connect(target: string, authorization: string | undefined, client: Socket, head: Buffer): void {
    const { signIn, routes, isSilent } = this.#options;
    if (isSilent === true) return;
    if (signIn !== undefined) {
      const wanted = `Basic ${Buffer.from(signIn).toString("base64")}`;
      if (authorization !== wanted) {
        this.refused += 1;
        client.end(
          'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n',
        );
        return;
      }
    }
    this.targets.push(target);
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(target) ?? [];
    const way = connect(routes?.[target] ?? { host, port: Number(port) });
    this.#track(way);
    way.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (head.length > 0) way.write(head);
      way.pipe(client).pipe(way);
    });
    way.once("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    for (const [one, other] of [
      [client, way],
      [way, client],
    ] as const) {
      one.once("close", () => other.destroy());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
