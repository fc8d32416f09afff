import { BlockList, isIP, isIPv4 } from "node:net";

/** A pattern with `*` for any characters as a regular expression over the whole text. */
export function globToRegExp(pattern: string): RegExp {
  const body = pattern
    .split("*")
    .map((part) => part.replaceAll(/[\\^$.|?+(){}[\]]/g, String.raw`\$&`));
  return new RegExp(`^${body.join(".*")}$`, "s");
}

/** A host that was read from an address: lower case, IP addresses in their canonical form. */
export interface HostPort {
  readonly host: string;
  /** Undefined when the address names none and its scheme implies none. */
  readonly port: number | undefined;
}

/** Matches hosts and ports, as in `*.example.com:443`, `10.0.0.0/8:*` or `[::1]:9000-9010`. */
export type HostPattern = (address: HostPort) => boolean;

const patternParts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\*|\d{1,5}(?:-\d{1,5})?))?$/;

/** Reads a pattern. Returns what is wrong with it as a text. */
export function parseHostPattern(text: string): HostPattern | string {
  const [, bracketed, plain, ports] = patternParts.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return "is no HOST, HOST:PORT or HOST:FROM-TO; put IPv6 in brackets";
  const hasPort = portMatcher(ports);
  if (hasPort === undefined) return "has no port between 1 and 65535";
  const matchesHost = hostMatcher(host, bracketed !== undefined);
  if (typeof matchesHost === "string") return matchesHost;
  return (address) => matchesHost(address.host) && hasPort(address.port);
}

function portMatcher(
  ports: string | undefined,
): ((port: number | undefined) => boolean) | undefined {
  if (ports === undefined || ports === "*") return () => true;
  const [from = 0, to = from] = ports.split("-").map(Number);
  if (from < 1 || to > 65_535 || from > to) return undefined;
  return (port) => port !== undefined && port >= from && port <= to;
}

function hostMatcher(host: string, inBrackets: boolean): ((host: string) => boolean) | string {
  if (host === "*" && !inBrackets) return () => true;
  const [address = "", prefix] = host.split("/");
  if (isIP(address) !== 0) return subnetMatcher(address, prefix);
  if (inBrackets || prefix !== undefined) return "is no IP address or subnet";
  // `10.*` would also match the name 10.example.com.
  if (/^[\d.*]+$/.test(host)) return "is no whole IP address: write a subnet, as in 10.0.0.0/8";
  if (!/^[a-z0-9_.*-]+$/i.test(host)) return "is no host name";
  const pattern = globToRegExp(host.toLowerCase());
  return (name) => isIP(name) === 0 && pattern.test(name);
}

function subnetMatcher(
  address: string,
  prefix: string | undefined,
): ((host: string) => boolean) | string {
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const bits = family === "ipv4" ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || length > bits)) return "is no subnet";
  const subnet = new BlockList();
  subnet.addSubnet(address, length, family);
  return (host) => {
    const version = isIP(host);
    return version !== 0 && (version === 4) === (family === "ipv4") && subnet.check(host, family);
  };
}

/** An IP address in its canonical form; one of IPv4 written as IPv6 becomes IPv4. */
export function canonicalIp(address: string): string | undefined {
  if (isIPv4(address)) return address;
  const url = URL.parse(`http://[${address}]/`);
  if (url === null) return undefined;
  const text = url.hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ?? [];
  if (high === undefined || low === undefined) return text;
  const words = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return words.flatMap((word) => [word >> 8, word & 255]).join(".");
}
