import { lookup as resolve, type LookupAddress } from "node:dns";
import http from "node:http";
import https from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { mayCall } from "../../oidc/outbound-fetch.ts";
import { parseNetworks } from "../../rpc/client-address.ts";
import { BackendFailure } from "./backend.ts";

export const callTimeoutMs = 10_000;
const maximumBytes = 4 * 1024 * 1024;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

/**
 * Which addresses backends may have. Without networks: all that providers of identities may have, but not this
 * host's own, where things listen that trust it.
 */
export function addressRule(networks: readonly string[]): (address: string) => boolean {
  const allowed = networks.length === 0 ? undefined : parseNetworks(networks);
  return (address) => {
    const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
    const family = isIP(plain) === 6 ? "ipv6" : "ipv4";
    if (isIP(plain) === 0 || !mayCall(plain)) return false;
    return allowed === undefined ? !loopback.check(plain, family) : allowed.check(plain, family);
  };
}

/** A `lookup` for agents: the address is checked as it is connected to (X5). */
function checkedLookup(mayUse: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const addresses = (found as LookupAddress[] | undefined)?.filter(({ address }) =>
        mayUse(address),
      );
      const [first] = addresses ?? [];
      if (error !== null || addresses === undefined || first === undefined) {
        callback(error ?? new Error("the name has no address that may be called"), "", 0);
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Why an address of a backend cannot be used; undefined when it can. */
export function problemOfAddress(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return "must be an address such as https://vault.example.com:8200";
  }
  if (url.username !== "" || url.password !== "") return "must have no user name or password";
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return "must have no path";
  const local =
    ["localhost", "[::1]"].includes(url.hostname) ||
    (isIP(url.hostname) === 4 && url.hostname.startsWith("127."));
  if (url.protocol === "http:" && !local) return "must start with https: what is read is secret";
  return undefined;
}

/** Agents that connect to allowed addresses only and trust a private authority, if there is one. */
export interface OutboundAgents extends Disposable {
  readonly http: http.Agent;
  readonly https: https.Agent;
  /** Throws for an address that is written as a number and may not be called. */
  check(url: URL): void;
}

export function openAgents(networks: readonly string[], caPem: string): OutboundAgents {
  const mayUse = addressRule(networks);
  const options = { lookup: checkedLookup(mayUse), keepAlive: true, maxSockets: 8 };
  const plain = new http.Agent(options);
  const secure = new https.Agent({ ...options, ...(caPem !== "" && { ca: caPem }) });
  return {
    http: plain,
    https: secure,
    check(url) {
      const literal = url.hostname.replaceAll(/[[\]]/g, "");
      if (isIP(literal) !== 0 && !mayUse(literal)) throw unreachable(undefined);
    },
    [Symbol.dispose]() {
      plain.destroy();
      secure.destroy();
    },
  };
}

export interface OutboundAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** One call without redirects. Throws a BackendFailure when there is no answer. */
export async function callOut(
  agents: OutboundAgents,
  url: URL,
  init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  },
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  agents.check(url);
  const secure = url.protocol === "https:";
  const { promise, resolve: answer, reject } = Promise.withResolvers<OutboundAnswer>();
  const request = (secure ? https : http).request(
    url,
    {
      method: init.method,
      headers: init.headers,
      agent: secure ? agents.https : agents.http,
      signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
    },
    (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maximumBytes) request.destroy(new AnswerTooLong());
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        answer({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    },
  );
  request.on("error", reject);
  request.end(init.body);
  try {
    return await promise;
  } catch (error) {
    signal.throwIfAborted();
    throw failureOfConnection(error);
  }
}

class AnswerTooLong extends Error {}

/** What a failed connection means for people, without telling what is behind the address (X4). */
export function failureOfConnection(error: unknown): BackendFailure {
  if (error instanceof BackendFailure) return error;
  if (error instanceof AnswerTooLong) {
    return new BackendFailure("answer", "its answer is too long", { cause: error });
  }
  const { code, message } = error as { code?: string; message?: string };
  const tls =
    /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/;
  if (tls.test(code ?? "") || /certificate|SSL routines/i.test(message ?? "")) {
    return new BackendFailure(
      "tls",
      "its certificate is not trusted: check the name in the address, or give the authority's certificate",
      { cause: error },
    );
  }
  return unreachable(error);
}

function unreachable(cause: unknown): BackendFailure {
  return new BackendFailure(
    "address",
    "the address does not answer: check it, and that this server may reach it (VECTORFLOW_SECRET_NETWORKS)",
    { cause },
  );
}
