import { judgeCases, preset, sink, source, type PolicyCase } from "../testing/policy-case.ts";

const listensOn = (address: string) => source("syslog", { mode: "tcp", address });

const listeners: readonly PolicyCase[] = [
  ["loopback", preset, listensOn("127.0.0.1:514"), []],
  ["another loopback", preset, listensOn("127.1.2.3:514"), []],
  ["loopback of IPv6", preset, listensOn("[::1]:514"), []],
  ["every address", preset, listensOn("0.0.0.0:514"), ["listen.allow address"]],
  ["every address of IPv6", preset, listensOn("[::]:514"), ["listen.allow address"]],
  ["IPv4 in IPv6", preset, listensOn("[::ffff:0.0.0.0]:514"), ["listen.allow address"]],
  ["loopback in IPv6", preset, listensOn("[::ffff:127.0.0.1]:514"), []],
  ["a decimal address", preset, listensOn("2130706433:514"), ["listen.allow address"]],
  ["a name", preset, listensOn("localhost:514"), ["listen.allow address"]],
  ["an octal address", preset, listensOn("0177.0.0.1:514"), ["listen.allow address"]],
  ["a socket of the service manager", preset, listensOn("systemd#1"), ["listen.allow address"]],
  ["that, allowed", { listen: { allow: ["systemd"] } }, listensOn("systemd#1"), []],
  [
    "a port that is not allowed",
    { listen: { allow: ["loopback:9000-9010"] } },
    listensOn("127.0.0.1:514"),
    ["listen.allow address"],
  ],
  [
    "a port that is",
    { listen: { allow: ["loopback:9000-9010"] } },
    listensOn("127.0.0.1:9010"),
    [],
  ],
  ["the default of an exporter", preset, sink("prometheus_exporter"), ["listen.allow address"]],
  ["the default of a source", preset, source("splunk_hec"), ["listen.allow address"]],
  [
    "both listeners of OTLP",
    preset,
    source("opentelemetry", { grpc: { address: "0.0.0.0:1" }, http: { address: "127.0.0.1:2" } }),
    ["listen.allow grpc.address"],
  ],
  [
    "a sink's own address is none",
    preset,
    sink("socket", { mode: "tcp", address: "0.0.0.0:1" }),
    [],
  ],
];

judgeCases("listeners", listeners);
