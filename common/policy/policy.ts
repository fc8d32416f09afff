import { posix } from "node:path";
import { componentKinds, isKnownType } from "./component-facts.ts";
import { parseHostPattern } from "./patterns.ts";

/**
 * What a host lets Vector do (P11), normalized: the preset is written out. `undefined` means no limit. Its JSON
 * is a policy again, with the same meaning.
 */
export interface HostPolicy {
  readonly version: 1;
  readonly preset: "none" | "restricted";
  /** Patterns over `kind/type`. */
  readonly components: { readonly allow?: readonly string[]; readonly deny: readonly string[] };
  /** Whether code that comes with a configuration may run. */
  readonly programs: "allow" | "deny";
  /** Absolute folders and files. */
  readonly files: { readonly read?: readonly string[]; readonly write?: readonly string[] };
  /** Patterns over `host:port`; those of `allow` also over `kind/type`, for providers' own addresses. */
  readonly destinations: { readonly allow?: readonly string[]; readonly deny: readonly string[] };
  readonly listen: { readonly allow?: readonly string[] };
  readonly vrl: { readonly deny: readonly string[]; readonly allow: readonly string[] };
  /** Also stop a pipeline that runs and breaks a policy that became stricter. */
  readonly enforce_running: boolean;
}

export interface ParsedPolicy {
  /** Undefined when there are problems. */
  readonly policy: HostPolicy | undefined;
  readonly problems: readonly string[];
}

const loopback = ["127.0.0.0/8:*", "[::1]:*"];
const maximumEntries = 1000;

const restricted = {
  components: { deny: ["source/exec", "source/file_descriptor", "transform/lua", "secret/exec"] },
  vrl: { deny: ["dns_lookup", "get_env_var", "http_request", "reverse_dns"] },
};

/** Reads a policy from what YAML or JSON gave. Finds all problems at once. */
export function parsePolicy(value: unknown): ParsedPolicy {
  const read = new Reader();
  const top = read.record(value, "the policy", [
    "version",
    "preset",
    "components",
    "programs",
    "files",
    "destinations",
    "listen",
    "vrl",
    "enforce_running",
  ]);
  if (top["version"] !== 1) read.problems.push("version must be 1");
  const preset = read.choice(top["preset"], "preset", ["none", "restricted"] as const) ?? "none";
  const isRestricted = preset === "restricted";
  const components = read.record(top["components"], "components", ["allow", "deny"]);
  const files = read.record(top["files"], "files", ["read", "write"]);
  const destinations = read.record(top["destinations"], "destinations", ["allow", "deny"]);
  const listen = read.record(top["listen"], "listen", ["allow"]);
  const vrl = read.record(top["vrl"], "vrl", ["allow", "deny"]);
  const added = isRestricted ? restricted : { components: { deny: [] }, vrl: { deny: [] } };
  const policy: HostPolicy = {
    version: 1,
    preset,
    components: {
      ...optional("allow", read.list(components["allow"], "components.allow", componentPattern)),
      deny: union(
        added.components.deny,
        read.list(components["deny"], "components.deny", deniedComponent),
      ),
    },
    programs:
      read.choice(top["programs"], "programs", ["allow", "deny"] as const) ??
      (isRestricted ? "deny" : "allow"),
    files: {
      ...optional(
        "read",
        read.list(files["read"], "files.read", root) ?? (isRestricted ? [] : undefined),
      ),
      ...optional(
        "write",
        read.list(files["write"], "files.write", root) ?? (isRestricted ? [] : undefined),
      ),
    },
    destinations: {
      ...optional("allow", read.list(destinations["allow"], "destinations.allow", destination)),
      deny: read.list(destinations["deny"], "destinations.deny", hostPattern) ?? [],
    },
    listen: optional(
      "allow",
      read.list(listen["allow"], "listen.allow", listenPattern)?.flatMap(expandLoopback) ??
        (isRestricted ? loopback : undefined),
    ),
    vrl: {
      deny: union(added.vrl.deny, read.list(vrl["deny"], "vrl.deny", functionName)),
      allow: read.list(vrl["allow"], "vrl.allow", functionName) ?? [],
    },
    enforce_running: read.flag(top["enforce_running"], "enforce_running") ?? false,
  };
  const { problems } = read;
  return { policy: problems.length === 0 ? policy : undefined, problems };
}

function union(first: readonly string[], second: readonly string[] | undefined): readonly string[] {
  return [...new Set([...first, ...(second ?? [])])];
}

function optional<K extends string>(key: K, list: readonly string[] | undefined) {
  return (list === undefined ? {} : { [key]: list }) as { readonly [P in K]?: readonly string[] };
}

/** Each check returns what is wrong with an entry. */
type Check = (entry: string) => string | undefined;

const componentPattern: Check = (entry) => {
  const [kind, type, ...more] = entry.includes("/") ? entry.split("/") : ["*", entry];
  if (more.length > 0 || !/^[a-z0-9_*]+$/.test(type ?? "")) return "is no TYPE and no KIND/TYPE";
  if (kind === "*" || componentKinds.some((known) => known === kind)) return undefined;
  return `has an unknown kind: use one of ${componentKinds.join(", ")}`;
};

/** A name that is misspelt would deny nothing, so that it must be known. */
const deniedComponent: Check = (entry) => {
  const problem = componentPattern(entry);
  if (problem !== undefined) return problem;
  const [first, type = first] = entry.split("/");
  const kind = componentKinds.find((known) => known === first && entry.includes("/"));
  if (type?.includes("*") || isKnownType(kind, type ?? "")) return undefined;
  return "is no component of Vector that this agent knows";
};

const root: Check = (entry) => {
  if (!entry.startsWith("/")) return "is not an absolute path";
  if (posix.normalize(entry) !== entry) return "is not written out: leave out ., .. and //";
  return /[*?[{%]|\{\{/.test(entry) ? "is a folder or a file, and no pattern" : undefined;
};

const hostPattern: Check = (entry) => {
  const pattern = parseHostPattern(entry);
  return typeof pattern === "string" ? pattern : undefined;
};

const destination: Check = (entry) =>
  isTypePattern(entry) ? componentPattern(entry) : hostPattern(entry);

/** In a list of destinations: an entry that stands for a provider's own addresses. */
export function isTypePattern(entry: string): boolean {
  return componentKinds.some((kind) => entry.startsWith(`${kind}/`));
}

const listenPattern: Check = (entry) => {
  if (entry === "systemd") return undefined;
  if (entry.startsWith("loopback")) return hostPattern(entry.replace("loopback", "127.0.0.1"));
  if (/^[^[]*[a-z]/i.test(entry)) return "is no IP address or subnet with a port";
  return hostPattern(entry);
};

function expandLoopback(entry: string): readonly string[] {
  const [, ports = "*"] = /^loopback(?::([\d-]+))?$/.exec(entry) ?? [];
  if (!entry.startsWith("loopback")) return [entry];
  return loopback.map((pattern) => pattern.replace("*", ports));
}

const functionName: Check = (entry) =>
  /^[a-z_][a-z0-9_]*$/.test(entry) ? undefined : "is no name of a VRL function";

/** Narrows what was read, and gathers what is wrong with it. */
class Reader {
  readonly problems: string[] = [];

  record(value: unknown, name: string, keys: readonly string[]): Readonly<Record<string, unknown>> {
    if (value === undefined) return {};
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.problems.push(`${name} must be a map`);
      return {};
    }
    for (const key of Object.keys(value)) {
      if (!keys.includes(key)) {
        this.problems.push(`${name} has no key ${key.slice(0, 100)}: use ${keys.join(", ")}`);
      }
    }
    return value as Readonly<Record<string, unknown>>; // Keys of a parsed map are texts.
  }

  list(value: unknown, name: string, check: Check): readonly string[] | undefined {
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length > maximumEntries) {
      this.problems.push(`${name} must be a list of at most ${maximumEntries} texts`);
      return undefined;
    }
    return value.filter((entry: unknown): entry is string => {
      const problem = typeof entry === "string" ? check(entry) : "is no text";
      if (problem !== undefined)
        this.problems.push(`${name}: ${String(entry).slice(0, 200)} ${problem}`);
      return problem === undefined;
    });
  }

  choice<T extends string>(value: unknown, name: string, choices: readonly T[]): T | undefined {
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) this.problems.push(`${name} must be one of ${choices.join(", ")}`);
    return found;
  }

  flag(value: unknown, name: string): boolean | undefined {
    if (value === undefined || typeof value === "boolean") return value;
    this.problems.push(`${name} must be true or false`);
    return undefined;
  }
}
