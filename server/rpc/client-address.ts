import { BlockList, isIP } from "node:net";

/** The networks of a configuration's trusted proxies, as `10.0.0.0/8` or a single address. Throws on anything else. */
export function parseNetworks(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix, ...rest] = network.split("/");
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || rest.length > 0 || prefix === "" || !Number.isInteger(bits)) {
      throw new TypeError(`${network} is no network such as 10.0.0.0/8`);
    }
    list.addSubnet(address, bits, family === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

/**
 * The address of whoever called. Each proxy appends the address that called it, so the list is read from its end,
 * and only as long as the one that wrote an entry is trusted: what a client wrote itself is never believed.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: BlockList,
): string | undefined {
  let address = peer === undefined ? undefined : plain(peer);
  if (address === undefined || forwardedFor === undefined) return address;
  for (const entry of forwardedFor.split(",").toReversed()) {
    if (!isTrusted(address, trusted)) return address;
    const next = plain(entry.trim());
    if (isIP(next) === 0) return address;
    address = next;
  }
  return address;
}

/** What a limit counts: an IPv4 address, or the network of one IPv6 customer, who has 2^64 addresses. */
export function limitKey(address: string | undefined): string {
  if (address === undefined || isIP(address) !== 6) return address ?? "";
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** An IPv4 address in IPv6's notation is that IPv4 address; a port or brackets are no part of it. */
function plain(address: string): string {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(address)?.[1] ?? address;
  const port = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(bare)?.[1] ?? bare;
  return port.replace(/^::ffff:(?=\d+\.)/i, "").toLowerCase();
}
