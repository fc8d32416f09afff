import { listenAddress } from "#common/policy/addresses.ts";
import { defaultListen } from "#common/policy/component-facts.ts";
import { roleOf } from "#common/policy/option-roles.ts";
import { isRecord, type GraphComponent } from "../graph.ts";

/** What one component takes of a host, and no other one can take at the same time. */
export interface Listener {
  readonly componentKey: string;
  readonly path: readonly (string | number)[];
  readonly protocol: "tcp" | "udp" | "other";
  /** Empty for what is no address. */
  readonly host: string;
  readonly port: number;
  /** As a person reads it. */
  readonly text: string;
}

/** A pipeline that runs on some of the same hosts. */
export interface Neighbour {
  readonly name: string;
  readonly listeners: readonly Listener[];
}

/** What a component listens on, as far as its options tell: references are filled in on the hosts. */
export function listenersOf(
  component: Pick<GraphComponent, "key" | "kind" | "type" | "config">,
): readonly Listener[] {
  const { key, kind, type, config } = component;
  if (kind === "transform") return [];
  if (kind === "source" && type === "stdin") return [other(component, "standard input")];
  if (kind === "source" && type === "file_descriptor" && typeof config["fd"] === "number") {
    return [other(component, `file descriptor ${config["fd"]}`)];
  }
  const { mode } = config;
  if (typeof mode === "string" && mode.startsWith("unix")) return [];
  const protocol = mode === "udp" ? "udp" : "tcp";
  const found: Listener[] = [];
  const add = (path: readonly (string | number)[], text: string): void => {
    const address = listenAddress(text);
    if (typeof address === "string" || !address.port) return;
    const { host, port } = address;
    found.push({ componentKey: key, path, protocol, host, port, text: `${protocol} ${text}` });
  };
  let given = false;
  const visit = (value: unknown, path: readonly (string | number)[]): void => {
    if (Array.isArray(value)) value.forEach((item: unknown, at) => visit(item, [...path, at]));
    else if (isRecord(value)) {
      for (const [name, child] of Object.entries(value)) visit(child, [...path, name]);
    } else if (typeof value === "string") {
      const names = path.filter((step) => typeof step === "string");
      if (roleOf(kind, type, names, true) !== "listen") return;
      given = true;
      add(path, value);
    }
  };
  visit(config, []);
  const standard = defaultListen.get(`${kind}/${type}`);
  if (!given && standard !== undefined) add([], standard);
  return found;
}

function other({ key }: Pick<GraphComponent, "key">, text: string): Listener {
  return { componentKey: key, path: [], protocol: "other", host: "", port: 0, text };
}

/** Whether two listeners cannot be on one host. Where one listens on all addresses, it takes each of them. */
export function clash(a: Listener, b: Listener): boolean {
  if (a.protocol !== b.protocol || a.port !== b.port) return false;
  if (a.protocol === "other") return a.text === b.text;
  return a.host === b.host || covers(a.host, b.host) || covers(b.host, a.host);
}

/** Linux lets a socket on :: take IPv4 too. */
function covers(all: string, host: string): boolean {
  return all === "::" || (all === "0.0.0.0" && !host.includes(":"));
}
