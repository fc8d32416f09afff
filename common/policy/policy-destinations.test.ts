import { judgeCases, sink, source, type PolicyCase } from "../testing/policy-case.ts";

const only = (...allow: readonly string[]) => ({ destinations: { allow } });
const inside = only("*.example.com:443", "10.0.0.0/8:*", "[fd00::/8]:9092", "sink/aws_s3");

const http = (uri: string) => sink("http", { uri });

const destinations: readonly PolicyCase[] = [
  ["a name of a glob", inside, http("https://a.b.example.com/x"), []],
  ["capitals", inside, http("HTTPS://LOGS.EXAMPLE.COM/x"), []],
  ["a dot at the end", inside, http("https://logs.example.com./x"), []],
  ["another port", inside, http("https://logs.example.com:8443/x"), ["destinations.allow uri"]],
  ["the port of plain HTTP", inside, http("http://logs.example.com/x"), ["destinations.allow uri"]],
  ["another name", inside, http("https://example.com.evil.test/"), ["destinations.allow uri"]],
  [
    "a name as a user",
    inside,
    http("https://logs.example.com@evil.test/"),
    ["destinations.allow uri"],
  ],
  ["two users", inside, http("https://a@logs.example.com@evil.test/"), ["destinations.allow uri"]],
  [
    "a backslash",
    inside,
    http("https://logs.example.com\\@evil.test/"),
    ["destinations.allow uri"],
  ],
  ["a fragment", inside, http("https://evil.test#.example.com"), ["destinations.allow uri"]],
  ["one slash", inside, http("https:/logs.example.com"), ["destinations.allow uri"]],
  ["a line break", inside, http("https://evil.test\n.example.com"), ["destinations.allow uri"]],
  ["a percent sign", inside, http("https://evil%2etest/"), ["destinations.allow uri"]],
  [
    "letters that look alike",
    inside,
    http("https://logs.ex\u0430mple.com/"),
    ["destinations.allow uri"],
  ],
  ["a template for the host", inside, http("https://{{ host }}/"), ["destinations.allow uri"]],
  ["a template for the path", inside, http("https://logs.example.com/{{ host }}"), []],
  ["a secret", inside, http("SECRET[a.b]"), ["destinations.allow uri"]],
  ["a subnet", inside, sink("socket", { mode: "tcp", address: "10.1.2.3:99" }), []],
  ["a decimal address in it", inside, http("http://167838211/"), []],
  ["a decimal address outside", inside, http("http://2130706433/"), ["destinations.allow uri"]],
  ["IPv4 in IPv6", inside, http("http://[::ffff:10.0.0.1]/"), []],
  ["IPv6", inside, sink("kafka", { bootstrap_servers: "[fd00::1]:9092,[fd00::2]:9092" }), []],
  [
    "a name that begins like a subnet",
    inside,
    sink("vector", { address: "10.evil.test:1" }),
    ["destinations.allow address"],
  ],
  [
    "the second of a list",
    inside,
    sink("kafka", { bootstrap_servers: "10.0.0.1:9092,evil.test:9092" }),
    ["destinations.allow bootstrap_servers"],
  ],
  [
    "each of a YAML list",
    inside,
    sink("elasticsearch", { endpoints: ["https://a.example.com", "https://evil.test"] }),
    ["destinations.allow endpoints.1"],
  ],
  [
    "lists of URLs",
    inside,
    source("nats", { url: "nats://10.0.0.1:4222,nats://evil.test:4222" }),
    ["destinations.allow url"],
  ],
  [
    "a replica set",
    inside,
    source("mongodb_metrics", { endpoints: ["mongodb://u:p@10.0.0.1:1,evil.test:2/db"] }),
    ["destinations.allow endpoints.0"],
  ],
  [
    "a host in a query",
    inside,
    sink("postgres", { endpoint: "postgres://10.0.0.1/db?host=evil.test" }),
    ["destinations.allow endpoint"],
  ],
  [
    "a connection string of Azure",
    inside,
    sink("azure_blob", {
      connection_string: "AccountName=a;AccountKey=k;BlobEndpoint=https://evil.test",
    }),
    ["destinations.allow connection_string"],
  ],
  [
    "an account of Azure",
    only("a.blob.core.windows.net:443"),
    sink("azure_blob", { connection_string: "AccountName=a;AccountKey=k" }),
    [],
  ],
  [
    "a host option with its port",
    only("a.test:1884"),
    sink("mqtt", { host: "a.test", port: 1884 }),
    [],
  ],
  ["a host option without", only("a.test:1883"), sink("mqtt", { host: "a.test" }), []],
  ["a host option", inside, sink("mqtt", { host: "evil.test" }), ["destinations.allow host"]],
  ["a site", only("*.datadoghq.com"), sink("datadog_logs", { site: "datadoghq.com" }), []],
  [
    "another site",
    only("*.datadoghq.com"),
    sink("datadog_logs", { site: "evil.test" }),
    ["destinations.allow site"],
  ],
  [
    "a proxy",
    inside,
    sink("http", { uri: "https://a.example.com", proxy: { https: "http://evil.test:3128" } }),
    ["destinations.allow proxy.https"],
  ],
  [
    "a proxy for all",
    inside,
    { proxy: { http: "http://evil.test:3128" } },
    ["destinations.allow proxy.http"],
  ],
  [
    "a health check elsewhere",
    inside,
    sink("http", { uri: "https://a.example.com", healthcheck: { uri: "https://evil.test" } }),
    ["destinations.allow healthcheck.uri"],
  ],
  [
    "the servers of librdkafka",
    inside,
    sink("kafka", {
      bootstrap_servers: "10.0.0.1:1",
      librdkafka_options: { "metadata.broker.list": "evil.test:1" },
    }),
    ["destinations.allow librdkafka_options.metadata.broker.list"],
  ],
  ["a provider that is allowed", inside, sink("aws_s3", { bucket: "b", region: "eu-west-1" }), []],
  [
    "a provider with another address",
    inside,
    sink("aws_s3", { endpoint: "https://evil.test" }),
    ["destinations.allow endpoint"],
  ],
  [
    "a provider that is not",
    inside,
    sink("gcp_pubsub", { project: "p" }),
    ["destinations.allow type"],
  ],
  ["what connects to nothing", inside, sink("blackhole"), []],
  [
    "a denied subnet",
    { destinations: { deny: ["169.254.0.0/16"] } },
    http("http://169.254.169.254/"),
    ["destinations.deny uri"],
  ],
  [
    "that as a number",
    { destinations: { deny: ["169.254.0.0/16"] } },
    http("http://0xa9fea9fe/"),
    ["destinations.deny uri"],
  ],
  [
    "all else beside a denial",
    { destinations: { deny: ["169.254.0.0/16"] } },
    http("http://10.0.0.1/"),
    [],
  ],
  [
    "a header that looks like an address",
    inside,
    sink("http", { uri: "https://a.example.com", request: { headers: { endpoint: "evil.test" } } }),
    [],
  ],
];

judgeCases("destinations", destinations);
