import type { ComponentKind } from "./component-facts.ts";

/** What the text of an option means for a policy. */
export type Role =
  | "read"
  | "write"
  | "socket"
  | "destination"
  | "listen"
  | "program"
  | "site"
  | "vrl";

/** Maps whose keys a person chooses: what is below is text for others, and names nothing here. */
const freeMaps = new Set([
  "edge_attributes",
  "environment",
  "event_data_format",
  "exclude_matches",
  "extensions",
  "extra_headers",
  "extra_params",
  "extra_tags",
  "headers",
  "include_matches",
  "labels",
  "merge_strategies",
  "metadata",
  "node_attributes",
  "per_metric_limits",
  "per_tag_limits",
  "query",
  "resource",
  "route",
  "storage_resolution",
  "structured_metadata",
  "tags",
]);

/** Names that end like a path or an address and are neither. */
const harmless = new Set(["message_id_path", "include_file_tag", "endpoint_target"]);

const readName = /(^|_)(file|files|directory|dirs)$|_(path|paths)$|^journal_directory$/;
const addressName =
  /(^|_)(endpoint|endpoints|uri|url|urls|address|addresses)$|^(bootstrap_servers|connection_string|docker_host|brokers)$/;

const pathRoles: Readonly<Record<string, Role | undefined>> = {
  "sink/file": "write",
  "source/socket": "socket",
  "source/syslog": "socket",
  "source/statsd": "socket",
  "source/fluent": "socket",
  "sink/socket": "socket",
  "sink/statsd": "socket",
  "enrichment_table/file": "read",
  "enrichment_table/geoip": "read",
  "enrichment_table/mmdb": "read",
  "secret/file": "read",
  "secret/directory": "read",
};

/** Components in which `path` is a part of a URL. */
const urlPaths = new Set([
  "source/http",
  "source/http_server",
  "source/prometheus_remote_write",
  "sink/loki",
]);

/** Names of single options whose meaning their name does not tell. */
const exact: Readonly<Record<string, Role>> = {
  data_dir: "write",
  base_dir: "write",
  working_directory: "read",
  persistence_path: "write",
  socket_path: "socket",
  journalctl_path: "program",
};

/** Other names that Vector reads for options that hold an address. A test holds them against the catalogue. */
const otherNames = new Map([
  ...["clickhouse", "greptimedb_logs", "humio_logs", "humio_metrics", "mezmo", "sematext_logs"].map(
    (type): [string, string] => [`sink/${type} host`, "endpoint"],
  ),
  ["transform/aws_ec2_metadata host", "endpoint"],
  ["source/prometheus_scrape hosts", "endpoints"],
  ["source/pulsar address", "endpoint"],
  ["sink/pulsar address", "endpoint"],
]);

/**
 * What an option means. `path` are the names from the component down, without places in lists. Types that are
 * not known are judged by names alone, and the stricter way.
 */
export function roleOf(
  kind: ComponentKind,
  type: string,
  path: readonly string[],
  isKnown: boolean,
): Role | undefined {
  const component = `${kind}/${type}`;
  const name = otherNames.get(`${component} ${path.join(".")}`) ?? path.at(-1) ?? "";
  if (path.includes("librdkafka_options")) return kafkaRole(name);
  if (kind === "transform" && type !== "lua" && !path.includes("proxy") && !isAddress(name, path)) {
    if (name === "file" || name === "files") return "read";
    return "vrl";
  }
  if (path.slice(0, -1).some((part) => freeMaps.has(part))) return undefined;
  if (name === "source" || name === "condition" || name === "vrl")
    return type === "lua" ? undefined : "vrl";
  if (component === "source/journald" && name === "extra_args") return "program";
  if (component === "source/file" && name === "include") return "read";
  if (component === "source/okta" && name === "domain") return "destination";
  if (name === "site" && type.startsWith("datadog_")) return "site";
  if (/^(source|sink)\/mqtt$/.test(component) && name === "host") return "destination";
  if (name === "path") return rolesOfPath(component, path, isKnown);
  if (exact[name] !== undefined) return exact[name];
  if (harmless.has(name)) return undefined;
  if (isAddress(name, path)) return isListener(kind, type, name) ? "listen" : "destination";
  if (!isKnown && /^(hosts?|servers?|domain)$/.test(name)) return "destination";
  return readName.test(name) ? "read" : undefined;
}

function isAddress(name: string, path: readonly string[]): boolean {
  return (
    addressName.test(name) || (path.at(-2) === "proxy" && (name === "http" || name === "https"))
  );
}

function isListener(kind: ComponentKind, type: string, name: string): boolean {
  if (name !== "address") return false;
  return kind === "source" || type === "prometheus_exporter" || type === "websocket_server";
}

function rolesOfPath(
  component: string,
  path: readonly string[],
  isKnown: boolean,
): Role | undefined {
  if (path.at(-2) === "credentials_file") return "read";
  if (urlPaths.has(component)) return undefined;
  return pathRoles[component] ?? (isKnown ? undefined : "write");
}

/** librdkafka can load libraries and run commands. */
function kafkaRole(name: string): Role | undefined {
  if (/plugin|kinit|\.cmd$/.test(name)) return "program";
  if (/(broker\.list|bootstrap\.servers|\.url)$/.test(name)) return "destination";
  return /(location|keytab|\.file|\.path|\.dir)$/.test(name) ? "read" : undefined;
}
