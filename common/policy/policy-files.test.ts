import {
  judgeCases,
  preset,
  sink,
  source,
  transform,
  type PolicyCase,
} from "../testing/policy-case.ts";

const fileSink = (path: string) => sink("file", { path });
const reads = (...include: readonly string[]) => source("file", { include });

const files: readonly PolicyCase[] = [
  ["a path below a root", preset, fileSink("/srv/out/a.log"), []],
  ["the root itself", preset, reads("/var/log"), []],
  ["a path outside", preset, fileSink("/etc/cron.d/x"), ["files.write path"]],
  ["a sibling with the same beginning", preset, fileSink("/srv/outside/a"), ["files.write path"]],
  ["a way up", preset, fileSink("/srv/out/../../etc/x"), ["files.write path"]],
  [
    "a way up after a template",
    preset,
    fileSink("/srv/out/{{ host }}/../../../etc/x"),
    ["files.write path"],
  ],
  ["a template below the root", preset, fileSink("/srv/out/{{ host }}-%Y.log"), []],
  ["a template that is the root", preset, fileSink("{{ path }}"), ["files.write path"]],
  ["a template inside the root's name", preset, fileSink("/srv/o{{ x }}/a"), ["files.write path"]],
  ["a date that is the root", preset, fileSink("/%Y/a"), ["files.write path"]],
  ["doubled slashes and dots", preset, fileSink("//srv/./out//a"), []],
  ["a relative path", preset, fileSink("out/a.log"), ["files.write path"]],
  ["a path from a secret", preset, fileSink("/srv/out/SECRET[a.b]"), ["files.write path"]],
  ["a path from a variable", preset, fileSink("/srv/out/${X}"), ["files.write path"]],
  ["a zero character", preset, fileSink("/srv/out/a\0b"), ["files.write path"]],
  [
    "each pattern of a list",
    preset,
    reads("/var/log/*.log", "/etc/*", "/var/lo*/x"),
    ["files.read include.1", "files.read include.2"],
  ],
  ["journals", preset, source("journald"), []],
  [
    "journals elsewhere",
    preset,
    source("journald", { journal_directory: "/etc" }),
    ["files.read journal_directory"],
  ],
  ["the logs of pods", { files: { read: [] } }, source("kubernetes_logs"), ["files.read type"]],
  [
    "a table in a file",
    preset,
    { enrichment_tables: { c: { type: "file", file: { path: "/etc/passwd" } } } },
    ["files.read file.path"],
  ],
  [
    "a table of places",
    preset,
    { enrichment_tables: { c: { type: "geoip", path: "/etc/x.mmdb" } } },
    ["files.read path"],
  ],
  [
    "secrets in a file",
    preset,
    { secret: { c: { type: "file", path: "/root/.x" } } },
    ["files.read path"],
  ],
  [
    "a certificate outside",
    preset,
    sink("http", { uri: "https://a", tls: { ca_file: "/etc/ssl/x.pem" } }),
    ["files.read tls.ca_file"],
  ],
  [
    "a certificate that comes along",
    preset,
    sink("http", { uri: "https://a", tls: { ca_file: "certs/ca.pem" } }),
    [],
  ],
  [
    "a certificate by a way up",
    preset,
    sink("http", { uri: "https://a", tls: { ca_file: "certs/../../x" } }),
    ["files.read tls.ca_file"],
  ],
  [
    "a certificate in the text",
    preset,
    sink("http", { uri: "https://a", tls: { ca_file: "-----BEGIN CERTIFICATE-----" } }),
    [],
  ],
  [
    "credentials deep in a list of nothing known",
    preset,
    sink("nats", { url: "nats://a", auth: { credentials_file: { path: "/root/x" } } }),
    ["files.read auth.credentials_file.path"],
  ],
  [
    "a component's data directory",
    preset,
    source("file", { include: [], data_dir: "/etc" }),
    ["files.write data_dir"],
  ],
  [
    "a Unix socket to listen on",
    preset,
    source("socket", { mode: "unix_stream", path: "/run/x.sock" }),
    ["files.write path"],
  ],
  [
    "a Unix socket to write to",
    preset,
    sink("socket", { mode: "unix", path: "/run/docker.sock" }),
    ["files.write path"],
  ],
  ["the socket of docker, unsaid", preset, source("docker_logs"), ["files.write docker_host"]],
  [
    "the socket of docker, said",
    preset,
    source("docker_logs", { docker_host: "unix:///var/run/docker.sock" }),
    ["files.write docker_host"],
  ],
  [
    "a file as an address",
    preset,
    source("pulsar", {
      endpoint: "pulsar://a",
      auth: { oauth2: { credentials_url: "file:///etc/x" } },
    }),
    ["files.read auth.oauth2.credentials_url"],
  ],
  ["a file in capitals", preset, sink("http", { uri: "FILE:///etc/x" }), ["files.read uri"]],
  [
    "the path of a URL",
    preset,
    source("http_server", { address: "127.0.0.1:1", path: "/etc" }),
    [],
  ],
  [
    "a header that looks like a path",
    preset,
    sink("http", { uri: "https://a", request: { headers: { key_file: "/etc/x" } } }),
    [],
  ],
  [
    "a keytab of librdkafka",
    preset,
    sink("kafka", { librdkafka_options: { "sasl.kerberos.keytab": "/etc/x" } }),
    ["files.read librdkafka_options.sasl.kerberos.keytab"],
  ],
  [
    "a VRL program in a file",
    { files: { read: ["/srv"] } },
    transform("remap", { file: "/etc/x.vrl" }),
    ["files.read file", "vrl.deny file"],
  ],
];

judgeCases("files", files);
