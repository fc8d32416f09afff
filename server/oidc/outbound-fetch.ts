import { lookup as resolve, type LookupAddress } from "node:dns";
import http from "node:http";
import https from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";

const timeoutMs = 10_000;
const maximumBytes = 1024 * 1024;

/** Where no identity provider is: this host's own zero address, link-local (cloud metadata), multicast. */
const never = new BlockList();
never.addSubnet("0.0.0.0", 8);
never.addSubnet("169.254.0.0", 16);
never.addSubnet("224.0.0.0", 4);
never.addSubnet("240.0.0.0", 4);
never.addAddress("::", "ipv6");
never.addSubnet("fe80::", 10, "ipv6");
never.addSubnet("ff00::", 8, "ipv6");
never.addAddress("fd00:ec2::254", "ipv6");

/** Whether an address may be called. IPv4 in IPv6's notation is that IPv4 address. */
export function mayCall(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const family = isIP(mapped);
  return family !== 0 && !never.check(mapped, family === 6 ? "ipv6" : "ipv4");
}

/** Whether an address of a provider may be used: https, or http on this machine. */
export function isProviderUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return false;
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && loopback);
}

/** The address is checked as it is connected to, so a name that changes its mind gains nothing (X5). */
const checkedLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found) => {
    const addresses = (found as LookupAddress[] | undefined)?.filter(({ address }) =>
      mayCall(address),
    );
    const [first] = addresses ?? [];
    if (error !== null || first === undefined || addresses === undefined) {
      callback(error ?? new Error("the name has no address that may be called"), "", 0);
    } else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

/**
 * `fetch` for identity providers: TLS verified, no redirects, addresses checked at the connection, ten seconds, one
 * mebibyte.
 */
export async function outboundFetch(
  target: string,
  init: { method?: string; headers?: Record<string, string>; body?: unknown },
): Promise<Response> {
  const url = new URL(target);
  const literal = url.hostname.replaceAll(/[[\]]/g, "");
  if (!isProviderUrl(target) || (isIP(literal) !== 0 && !mayCall(literal))) {
    throw new TypeError("this address may not be called");
  }
  // The client sends forms, and nothing else has a body.
  const body = init.body instanceof URLSearchParams ? init.body.toString() : undefined;
  const { promise, resolve: answer, reject } = Promise.withResolvers<Response>();
  const request = (url.protocol === "https:" ? https : http).request(
    url,
    {
      method: init.method ?? "GET",
      headers: {
        ...init.headers,
        ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
      },
      lookup: checkedLookup,
      signal: AbortSignal.timeout(timeoutMs),
    },
    (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maximumBytes) request.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const status = response.statusCode ?? 500;
        const headers = new Headers();
        for (const [name, value] of Object.entries(response.headers)) {
          if (value !== undefined) headers.set(name, String(value));
        }
        const empty = status === 204 || status === 304;
        answer(new Response(empty ? null : Buffer.concat(chunks), { status, headers }));
      });
    },
  );
  request.on("error", reject);
  request.end(body);
  return promise;
}
