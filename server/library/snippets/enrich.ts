import type { BuiltInSnippet } from "../built-in-snippets.ts";

/** Programs that add what helps to search and to count. */
export const enrichSnippets: readonly BuiltInSnippet[] = [
  {
    id: "builtin-level-as-number",
    name: "Levels as numbers",
    description: "Adds a number to a level, so that it can be compared: 1 is the most urgent.",
    category: "Enrich",
    condition: false,
    code: `numbers = { "fatal": 1, "error": 2, "warn": 3, "warning": 3, "info": 4, "debug": 5, "trace": 6 }
level = downcase(string(.level) ?? "info")
.level_number = get!(numbers, [level])
if .level_number == null {
  .level_number = 4
}`,
    example: { event: { level: "WARN" }, result: { level: "WARN", level_number: 3 } },
  },
  {
    id: "builtin-internal-client",
    name: "Whether a client is internal",
    description: "Says whether an address is one of your own networks.",
    category: "Enrich",
    condition: false,
    code: `.internal = ip_cidr_contains!("10.0.0.0/8", string!(.client)) ||
  ip_cidr_contains!("192.168.0.0/16", string!(.client))`,
    example: {
      event: { client: "10.20.30.40" },
      result: { client: "10.20.30.40", internal: true },
    },
  },
  {
    id: "builtin-service-of-file",
    name: "The service of a log file",
    description: "Takes the name of a service from the folder that its log is in.",
    category: "Enrich",
    condition: false,
    code: `parsed, err = parse_regex(.file, r'^/var/log/(?P<service>[^/]+)/')
if err == null {
  .service = parsed.service
}`,
    example: {
      event: { file: "/var/log/billing/out.log", message: "x" },
      result: { file: "/var/log/billing/out.log", message: "x", service: "billing" },
    },
  },
  {
    id: "builtin-fingerprint",
    name: "A fingerprint of messages",
    description:
      "Gives messages that differ only in numbers the same short fingerprint, to group them by.",
    category: "Enrich",
    condition: false,
    code: String.raw`shape = replace(string!(.message), r'\d+', "#")
.fingerprint = slice!(sha1(shape), 0, 12)`,
    example: {
      event: { message: "order 4711 took 35 ms" },
      result: { fingerprint: "d9a882941d61", message: "order 4711 took 35 ms" },
    },
  },
  {
    id: "builtin-status-class",
    name: "The class of a status",
    description: "Adds 2xx, 4xx and so on to a request, to count by.",
    category: "Enrich",
    condition: false,
    code: `status = to_int!(.status)
.status_class = to_string(floor(status / 100)) + "xx"`,
    example: { event: { status: "404" }, result: { status: "404", status_class: "4xx" } },
  },
  {
    id: "builtin-default-values",
    name: "Values for what is missing",
    description: "Fills fields in that an event does not have.",
    category: "Enrich",
    condition: false,
    code: `.environment = .environment || "production"
if !exists(.service) {
  .service = "unknown"
}`,
    example: {
      event: { message: "x" },
      result: { environment: "production", message: "x", service: "unknown" },
    },
  },
  {
    id: "builtin-site-of-host",
    name: "The site of a host",
    description: "Reads the site out of a host's name, as in web-07.fra.example.com.",
    category: "Enrich",
    condition: false,
    code: `parts = split(string!(.host), ".")
.site = parts[1]`,
    example: {
      event: { host: "web-07.fra.example.com" },
      result: { host: "web-07.fra.example.com", site: "fra" },
    },
  },
];
