import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { newToken } from "../auth/tokens.ts";
import type { TestCertificate } from "./certificates.ts";

interface Token {
  endsAt: number | undefined;
  readonly ttlMs: number;
  renewable: boolean;
  /** Paths below the mount that it may read. */
  readonly policy: RegExp;
}

interface Version {
  readonly values: Readonly<Record<string, unknown>> | undefined;
}

/** What Vault answers, as its HTTP contract has it. */
interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const denied: Answer = { status: 403, body: { errors: ["permission denied"] } };

/**
 * A Vault with one key-value engine of version 2 in memory: tokens with ends and policies, AppRole and Kubernetes
 * sign-in, versions, deletion, sealing, namespaces and limits. It counts what it was asked.
 */
export class FakeVault implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly tokens = new Map<string, Token>();
  /** Answers to give before any other. */
  readonly next: Answer[] = [];
  sealed = false;
  namespace = "";
  mount = "secret";
  /** Moves on with `advance`. */
  #now = Date.now();
  readonly #documents = new Map<string, Version[]>();
  readonly #roles = new Map<string, { credential: string; ttlMs: number; policy: RegExp }>();
  readonly #server: http.Server;
  readonly #scheme: string;

  private constructor(certificate: TestCertificate | undefined) {
    const handler: http.RequestListener = (request, response) =>
      void this.#serve(request, response);
    this.#scheme = certificate === undefined ? "http" : "https";
    this.#server =
      certificate === undefined
        ? http.createServer(handler)
        : https.createServer({ cert: certificate.cert, key: certificate.key }, handler);
  }

  static async start(certificate?: TestCertificate): Promise<FakeVault> {
    const vault = new FakeVault(certificate);
    vault.#server.listen(0, "127.0.0.1");
    await once(vault.#server, "listening");
    return vault;
  }

  get address(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A token, as an operator makes one. */
  issue(ttlMs: number | undefined, policy = /.*/, renewable = true): string {
    const token = newToken("vfs").replace("vfs_", "hvs.");
    const endsAt = ttlMs === undefined ? undefined : this.#now + ttlMs;
    this.tokens.set(token, { endsAt, ttlMs: ttlMs ?? 0, renewable, policy });
    return token;
  }

  /** Lets `auth/<mount>/login` take a role with a secret id or a service account token. */
  allow(mount: string, role: string, credential: string, ttlMs: number, policy = /.*/): void {
    this.#roles.set(`${mount}/${role}`, { credential, ttlMs, policy });
  }

  /** Writes the next version. */
  put(path: string, values: Readonly<Record<string, unknown>>): void {
    this.#documents.set(path, [...(this.#documents.get(path) ?? []), { values }]);
  }

  /** Deletes the newest version. */
  remove(path: string): void {
    this.#documents.get(path)?.pop();
    this.#documents.set(path, [...(this.#documents.get(path) ?? []), { values: undefined }]);
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  count(call: string): number {
    return this.asked.filter((asked) => asked === call).length;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? "", "http://vault");
    const path = decodeURIComponent(url.pathname.replace(/^\/v1\//, ""));
    this.asked.push(`${request.method} ${path}${url.search}`);
    const answer = this.#answer(request, path, url, body);
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  }

  #answer(request: http.IncomingMessage, path: string, url: URL, body: string): Answer {
    const prepared = this.next.shift();
    if (prepared !== undefined) return prepared;
    if (this.sealed) return { status: 503, body: { errors: ["Vault is sealed"] } };
    if (request.headers["x-vault-request"] !== "true") return denied;
    if ((request.headers["x-vault-namespace"] ?? "") !== this.namespace) {
      return { status: 404, body: { errors: [`no handler for route "${path}"`] } };
    }
    const login = /^auth\/(.+)\/login$/.exec(path);
    if (login !== null) return this.#logIn(login[1] ?? "", JSON.parse(body) as never);
    const name = String(request.headers["x-vault-token"] ?? "");
    const token = this.tokens.get(name);
    if (token === undefined || (token.endsAt ?? Infinity) <= this.#now) {
      return {
        status: 403,
        body: { errors: ["2 errors occurred: * permission denied * invalid token"] },
      };
    }
    if (path === "auth/token/lookup-self") {
      const { ttlMs: creation, renewable } = token;
      const ttl = token.endsAt === undefined ? 0 : Math.round((token.endsAt - this.#now) / 1000);
      return {
        status: 200,
        body: { data: { id: name, ttl, renewable, creation_ttl: creation / 1000 } },
      };
    }
    if (path === "auth/token/renew-self") {
      if (!token.renewable) return { status: 400, body: { errors: ["lease is not renewable"] } };
      token.endsAt = this.#now + token.ttlMs;
      return this.#auth(name, token);
    }
    if (path === "auth/token/revoke-self") {
      this.tokens.delete(name);
      return { status: 204 };
    }
    if (!path.startsWith(`${this.mount}/data/`)) {
      return { status: 404, body: { errors: [`no handler for route "${path}"`] } };
    }
    return this.#read(path.slice(this.mount.length + 6), url.searchParams.get("version"), token);
  }

  #logIn(
    mount: string,
    body: { role_id?: string; role?: string; secret_id?: string; jwt?: string },
  ): Answer {
    if (![...this.#roles.keys()].some((key) => key.startsWith(`${mount}/`))) {
      return { status: 404, body: { errors: [`no handler for route "auth/${mount}/login"`] } };
    }
    const role = this.#roles.get(`${mount}/${body.role_id ?? body.role ?? ""}`);
    if (role === undefined || role.credential !== (body.secret_id ?? body.jwt)) {
      return { status: 400, body: { errors: ["invalid role or secret ID"] } };
    }
    const name = this.issue(role.ttlMs, role.policy);
    const token = this.tokens.get(name);
    return token === undefined ? denied : this.#auth(name, token);
  }

  #auth(name: string, { ttlMs, renewable }: Token): Answer {
    const auth = { client_token: name, lease_duration: ttlMs / 1000, renewable };
    return { status: 200, body: { auth } };
  }

  #read(path: string, version: string | null, { policy }: Token): Answer {
    if (!policy.test(path)) return denied;
    const versions = this.#documents.get(path) ?? [];
    const number = version === null || version === "0" ? versions.length : Number(version);
    const found = versions[number - 1];
    if (found === undefined) return { status: 404, body: { errors: [] } };
    const metadata = { version: number, destroyed: false, deletion_time: "" };
    if (found.values === undefined) {
      const gone = { ...metadata, deletion_time: new Date(this.#now).toISOString() };
      return { status: 404, body: { data: { data: null, metadata: gone } } };
    }
    return { status: 200, body: { data: { data: found.values, metadata } } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
