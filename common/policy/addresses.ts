import { isIP } from "node:net";
import { canonicalIp, type HostPort } from "./patterns.ts";

/** What an address leads to. */
export type Target =
  | ({ readonly kind: "host" } & HostPort)
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "unclear"; readonly why: string };

const defaultPorts: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  ws: 80,
  wss: 443,
  amqp: 5672,
  amqps: 5671,
  esdb: 2113,
  mongodb: 27_017,
  mqtt: 1883,
  mqtts: 8883,
  nats: 4222,
  postgres: 5432,
  postgresql: 5432,
  pulsar: 6650,
  "pulsar+ssl": 6651,
  redis: 6379,
  rediss: 6379,
  tls: 4222,
};

const scheme = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is;
const unclear = (why: string): Target => ({ kind: "unclear", why });

export const laterText = "holds a reference that is filled in later";

/** Whether something is filled into a text after it was judged: a secret or a variable. */
export function holdsReference(text: string): boolean {
  return /SECRET\[|\$\{|\$[A-Za-z_]/.test(text);
}

/**
 * Every place that an address of any of Vector's components leads to: URLs, `host:port`, lists of both,
 * connection strings. What two readers could understand differently is unclear, and never judged by its looks.
 */
export function targetsOf(address: string): readonly Target[] {
  if (holdsReference(address)) return [unclear(laterText)];
  const text = address.trim();
  // What a template is made of is judged where the host is; below a path it leads nowhere else.
  if (/[^\u0021-\u007e]|\\/.test(text.split("{{", 1)[0] ?? "")) {
    return [unclear("holds blanks, backslashes or other characters that no address has")];
  }
  if (text === "") return [unclear("is empty")];
  if (text.startsWith("/")) return [{ kind: "socket", path: text }];
  if (/(^|;)(AccountName|EndpointSuffix|\w+Endpoint)=/i.test(text)) return azureTargets(text);
  // `nats://a,nats://b`, but not the commas of a path.
  return text.split(/,(?=[a-z][a-z0-9+.-]*:\/\/)/i).flatMap(oneAddress);
}

function oneAddress(text: string): readonly Target[] {
  const [, name = "", rest = text] = scheme.exec(text) ?? [];
  const protocol = name.toLowerCase();
  if (protocol === "file") return [{ kind: "file", path: rest.replace(/^localhost(?=\/)/i, "") }];
  if (/^(.*\+)?unix$/.test(protocol)) return [{ kind: "socket", path: rest }];
  if (protocol === "" && /^[a-z][a-z0-9+.-]*:(?!\d+([,/?#]|$))/i.test(text)) {
    return [unclear("is no host:port and no URL")];
  }
  const [, authority = "", path = ""] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  const at = authority.split("@");
  if (at.length > 2) return [unclear("has more than one @")];
  const hosts = (at.at(-1) ?? "").split(",");
  return [
    ...hosts.map((host) => hostTarget(host, defaultPorts[protocol])),
    ...(Object.hasOwn(databases, protocol) ? inQuery(path) : []),
  ];
}

/** URLs of these can name other hosts in their query, which then win, and files with keys. */
const databases: Readonly<Record<string, true>> = {
  amqp: true,
  amqps: true,
  mongodb: true,
  "mongodb+srv": true,
  mysql: true,
  postgres: true,
  postgresql: true,
};

function inQuery(path: string): readonly Target[] {
  const query = [...new URLSearchParams(/\?([^#]*)/.exec(path)?.[1] ?? "")];
  return query.flatMap(([name, value]): readonly Target[] => {
    const isHost = /^host(addr)?$/i.test(name);
    if (value.startsWith("/")) return [{ kind: isHost ? "socket" : "file", path: value }];
    return isHost ? value.split(",").map((host) => hostTarget(host, 5432)) : [];
  });
}

/** One `host` or `host:port`, with names in lower case and IP addresses of any notation made canonical. */
export function hostTarget(text: string, defaultPort: number | undefined): Target {
  if (/[{}%]/.test(text)) return unclear("has a host or port that is filled in later");
  const url = URL.parse(`http://${text}/`);
  if (url === null || url.hostname === "" || url.pathname !== "/" || url.username !== "") {
    return unclear("is no host:port and no URL");
  }
  const written = /:(\d+)$/.exec(text)?.[1];
  const port = written === undefined ? defaultPort : Number(written);
  const name = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const host = isIP(name) === 0 ? name : (canonicalIp(name) ?? name);
  return host === "" ? unclear("names no host") : { kind: "host", host, port };
}

/** Azure's `Key=value;Key=value`. */
function azureTargets(text: string): readonly Target[] {
  const pairs = new Map(
    text.split(";").map((pair): [string, string] => {
      const cut = pair.indexOf("=");
      return [pair.slice(0, cut).toLowerCase(), pair.slice(cut + 1)];
    }),
  );
  const named = [...pairs].filter(([key]) => key.endsWith("endpoint"));
  if (named.length > 0) return named.flatMap(([, value]) => oneAddress(value));
  const account = pairs.get("accountname");
  if (account === undefined) return [unclear("names no account and no endpoint")];
  const suffix = pairs.get("endpointsuffix") ?? "core.windows.net";
  return [hostTarget(`${account}.blob.${suffix}`, 443)];
}

/** The address of a listener, or why it cannot be judged. Only what Vector reads itself counts. */
export function listenAddress(text: string): HostPort | string {
  if (holdsReference(text)) return laterText;
  const [, v6, v4, port = ""] = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text) ?? [];
  const address = v6 ?? v4 ?? "";
  if (isIP(address) === 0) return "is no IP address with a port";
  return { host: canonicalIp(address) ?? address, port: Number(port) };
}
