import {
  judgeCases,
  preset,
  sink,
  source,
  transform,
  type PolicyCase,
} from "../testing/policy-case.ts";

const components: readonly PolicyCase[] = [
  ["everything without a rule", {}, source("exec", { command: ["true"] }), []],
  ["what the restricted preset leaves", preset, source("demo_logs", { format: "json" }), []],
  ["exec", preset, source("exec", { command: ["true"] }), ["components.deny type"]],
  ["lua", preset, transform("lua", { source: "x" }), ["components.deny type"]],
  [
    "an exec backend for secrets",
    preset,
    { secret: { c: { type: "exec", command: ["x"] } } },
    ["components.deny type"],
  ],
  [
    "exec by programs alone",
    { programs: "deny" },
    source("exec", { command: ["x"] }),
    ["programs type"],
  ],
  [
    "a type of a denied glob",
    { components: { deny: ["sink/aws_*"] } },
    sink("aws_s3"),
    ["components.deny type"],
  ],
  [
    "a type denied in any kind",
    { components: { deny: ["socket"] } },
    sink("socket", { address: "a:1" }),
    ["components.deny type"],
  ],
  [
    "the other kind of a denied type",
    { components: { deny: ["sink/socket"] } },
    source("socket"),
    [],
  ],
  [
    "the other name of a denied type",
    { components: { deny: ["source/http_server"] } },
    source("http"),
    ["components.deny type"],
  ],
  [
    "a type that is not allowed",
    { components: { allow: ["sink/*"] } },
    source("demo_logs"),
    ["components.allow type"],
  ],
  ["a type that is allowed", { components: { allow: ["source/demo_*"] } }, source("demo_logs"), []],
  ["a type in capitals", preset, source("EXEC"), ["components.allow type"]],
  [
    "a type that nobody knows",
    { components: { allow: ["*"] } },
    sink("new_thing"),
    ["components.allow type"],
  ],
  [
    "an unknown type that is named",
    { components: { allow: ["sink/new_thing"] } },
    sink("new_thing"),
    [],
  ],
  ["no type", preset, source("x", { type: undefined }), ["components type"]],
  ["a type that is filled in later", preset, source("${KIND}"), ["components type"]],
  ["a type from a secret", preset, source("SECRET[a.b]"), ["components type"]],
  [
    "a configuration from elsewhere",
    preset,
    { provider: { type: "http", url: "http://a" } },
    ["provider provider"],
  ],
  [
    "a chosen journalctl",
    preset,
    source("journald", { journalctl_path: "/tmp/x", journal_directory: "/var/log/j" }),
    ["programs journalctl_path"],
  ],
  [
    "arguments of journalctl",
    preset,
    source("journald", { extra_args: ["--file=/etc/shadow"] }),
    ["programs extra_args.0"],
  ],
  [
    "a command of librdkafka",
    preset,
    sink("kafka", { librdkafka_options: { "sasl.kerberos.kinit.cmd": "sh" } }),
    ["programs librdkafka_options.sasl.kerberos.kinit.cmd"],
  ],
  [
    "a library of librdkafka",
    preset,
    sink("kafka", { librdkafka_options: { "plugin.library.paths": "/tmp/x.so" } }),
    ["programs librdkafka_options.plugin.library.paths"],
  ],
];

judgeCases("components", components);
