import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadVrl } from "#vrl/vrl.ts";
import { loadCatalogue, type Kind } from "../catalogue.ts";
import { compilePipeline } from "../compile.ts";
import { checkOptions } from "./check-options.ts";

const catalogue = loadCatalogue();

/** What is said of the body of a component, `kind type body`, without warnings where none are expected. */
function saidOf(kind: Kind, type: string, body: string): readonly string[] {
  const facts = catalogue.component(kind, type);
  if (facts === undefined) throw new Error(`there is no ${kind} ${type}`);
  const inputs = kind === "source" ? {} : { inputs: ["in"] };
  const config = { ...inputs, ...(parse(body) as Record<string, unknown>) };
  return checkOptions(config, catalogue.options(facts), facts.strict).map(
    ({ severity, path, message }) => `${severity} ${path.join(".")}: ${message}`,
  );
}

describe("what Vector takes is taken", () => {
  test.each<[Kind, string, string]>([
    // One arm of a union.
    ["transform", "dedupe", "fields: {match: [a]}"],
    ["transform", "dedupe", "fields: {ignore: [a]}"],
    ["transform", "lua", "source: x"],
    ["transform", "lua", "{version: '1', source: x}"],
    ["transform", "lua", "{version: '2', hooks: {process: x}}"],
    ["sink", "gcp_stackdriver_logs", "{project_id: p, log_id: l, resource: {type: k8s}}"],
    ["sink", "gcp_stackdriver_logs", "{folder_id: p, log_id: l, resource: {type: k8s}}"],
    [
      "source",
      "static_metrics",
      "metrics: [{name: x, kind: absolute, tags: {}, value: {gauge: {value: 1.0}}}]",
    ],
    ["sink", "elasticsearch", "{endpoint: 'http://a', endpoints: []}"],
    // What is so by default.
    ["source", "fluent", "address: 0.0.0.0:24224"],
    ["source", "http_server", "{address: 'a:1', auth: {username: u, password: p}}"],
    [
      "sink",
      "websocket_server",
      "{address: 'a:1', encoding: {codec: json}, auth: {username: u, password: p}}",
    ],
    // Several types.
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, compression: {algorithm: zstd, level: 3}}",
    ],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, compression: {algorithm: gzip, level: best}}",
    ],
    ["sink", "http", "{uri: 'http://a', encoding: {codec: json}, compression: gzip}"],
    [
      "sink",
      "blackhole",
      "buffer: [{type: memory, when_full: overflow}, {type: disk, max_size: 268435488}]",
    ],
    [
      "sink",
      "blackhole",
      "{acknowledgements: true, healthcheck: false, healthcheck_uri: 'http://a'}",
    ],
    [
      "source",
      "opentelemetry",
      "{grpc: {address: 'a:1'}, http: {address: 'a:2'}, use_otlp_decoding: true}",
    ],
    [
      "source",
      "opentelemetry",
      "{grpc: {address: 'a:1'}, http: {address: 'a:2'}, use_otlp_decoding: {logs: true}}",
    ],
    ["source", "mqtt", "{host: a, topic: [a, b]}"],
    ["source", "mqtt", "{host: a, topic: a}"],
    ["sink", "redis", "{endpoint: ['redis://a', 'redis://b'], key: k, encoding: {codec: json}}"],
    ["sink", "vector", "{address: 'a:1', compression: true, version: '2'}"],
    ["sink", "nats", "{url: a, subject: s, encoding: {codec: json}, jetstream: true}"],
    [
      "transform",
      "log_to_metric",
      "metrics: [{field: a, type: counter, tags: {a: b, c: null, d: [e, null]}}]",
    ],
    [
      "source",
      "http_client",
      "{endpoint: 'http://a', query: {a: [b, {value: c, type: vrl}], d: e}}",
    ],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, request: {concurrency: adaptive}}",
    ],
    ["sink", "blackhole", "proxy: {no_proxy: 'a,b'}"],
    ["sink", "blackhole", "proxy: {no_proxy: [a, b]}"],
    ["transform", "filter", "condition: {type: is_log}"],
    ["transform", "filter", "condition: {type: vrl, source: 'true', runtime: ast}"],
    // Other names.
    ["sink", "splunk_hec_logs", "{endpoint: 'http://a', token: t, encoding: {codec: json}}"],
    ["sink", "splunk_hec_metrics", "{endpoint: 'http://a', token: t}"],
    ["sink", "clickhouse", "{host: 'http://a', table: t}"],
    ["sink", "pulsar", "{address: 'pulsar://a', topic: t, encoding: {codec: json}}"],
    ["source", "pulsar", "{address: 'pulsar://a', topics: [t]}"],
    [
      "sink",
      "redis",
      "{url: 'redis://a', key: k, data_type: list, list: {method: lpush}, encoding: {codec: json}}",
    ],
    ["sink", "aws_cloudwatch_metrics", "namespace: n"],
    [
      "sink",
      "influxdb_metrics",
      "{endpoint: 'http://a', bucket: b, org: o, token: t, namespace: n}",
    ],
    ["sink", "prometheus_exporter", "namespace: n"],
    ["sink", "statsd", "{mode: udp, address: 'a:1', namespace: n}"],
    ["sink", "humio_logs", "{host: 'http://a', token: t, encoding: {codec: json}}"],
    [
      "sink",
      "kafka",
      "{bootstrap_servers: a, topic: t, encoding: {codec: json}, headers_field: h}",
    ],
    ["sink", "nats", "{url: a, subject: s, encoding: {codec: json}, name: n}"],
    ["source", "nats", "{url: a, subject: s, name: n}"],
    ["sink", "elasticsearch", "{endpoints: ['http://a'], mode: normal, bulk: {index: a}}"],
    ["sink", "socket", "{mode: unix, path: /a, encoding: {codec: json}}"],
    ["source", "socket", "{mode: unix, path: /a}"],
    [
      "source",
      "file",
      "{include: [/a], ignore_older: 5, remove_after: 5, glob_minimum_cooldown: 5, fingerprinting: {strategy: checksum, lines: 2}}",
    ],
    ["source", "demo_logs", "{format: rfc5424, batch_interval: 0.5}"],
    ["source", "kubernetes_logs", "annotation_fields: {pod_name: a}"],
    ["source", "prometheus_scrape", "hosts: ['http://a']"],
    ["source", "http_server", "{address: 'a:1', tls: {ca_path: /a, crt_path: /b, key_path: /c}}"],
    // What Vector hides.
    [
      "source",
      "file",
      "{include: [/a], start_at_beginning: true, message_start_indicator: a, multi_line_timeout: 5}",
    ],
    ["source", "file", "{include: [/a], log_namespace: true}"],
    ["transform", "remap", "{source: '.a = 1', runtime: ast}"],
    [
      "sink",
      "aws_cloudwatch_logs",
      "{group_name: g, stream_name: s, region: r, encoding: {codec: json}, assume_role: a}",
    ],
  ])("%s %s: %s", (kind, type, body) => {
    expect(saidOf(kind, type, body)).toEqual([]);
  });
});

describe("what Vector refuses is an error", () => {
  test.each<[Kind, string, string, string]>([
    ["transform", "dedupe", "fields: {}", "fields: one of match and ignore is required"],
    [
      "transform",
      "dedupe",
      "fields: {match: [a], ignore: [b]}",
      "fields.ignore: only one of match and ignore may be there",
    ],
    ["transform", "lua", "version: '2'", "hooks: the option hooks is required"],
    ["transform", "lua", "hooks: {process: a}", "source: the option source is required"],
    ["transform", "sample", "{}", ": one of rate and ratio is required"],
    [
      "transform",
      "sample",
      "{rate: 2, ratio: 0.5}",
      "ratio: only one of rate and ratio may be there",
    ],
    ["transform", "remap", "drop_on_error: true", ": one of source, file and files is required"],
    ["sink", "elasticsearch", "endpoints: []", ": one of endpoint and endpoints is required"],
    ["sink", "elasticsearch", "{}", ": one of endpoint and endpoints is required"],
    [
      "sink",
      "gcp_stackdriver_logs",
      "{log_id: l, resource: {type: a}}",
      ": one of project_id, billing_account_id, folder_id and organization_id is required",
    ],
    ["sink", "vector", "{}", ": one of address and routing is required"],
    [
      "sink",
      "clickhouse",
      "{host: 'http://a', endpoint: 'http://a', table: t}",
      "endpoint: endpoint is another name of host: only one of them may be there",
    ],
    ["sink", "clickhouse", "{host: 5, table: t}", "host: host must be a text"],
    [
      "sink",
      "splunk_hec_metrics",
      "{endpoint: 'http://a', token: t, acknowledgements: true}",
      "acknowledgements: acknowledgements must be a map of options",
    ],
    ["sink", "http", "{uri: null, encoding: {codec: json}}", "uri: the option uri is required"],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: JSON}}",
      expect.stringMatching(/^encoding\.codec: codec must be one of avro/) as string,
    ],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, compression: {algorithm: lz4}}",
      "compression.algorithm: algorithm must be one of gzip, none, snappy, zlib, zstd",
    ],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, compression: {algorithm: snappy, level: 1}}",
      expect.stringMatching(/^compression\.level: level is refused unless/) as string,
    ],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, compression: 5}",
      "compression: compression must be a text or a map of options",
    ],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, request: {headers: {X-A: 5}}}",
      "request.headers.X-A: X-A must be a text",
    ],
    [
      "sink",
      "http",
      "{uri: 'http://a', encoding: {codec: json}, request: {concurrency: fast}}",
      "request.concurrency: concurrency must be one of adaptive, none",
    ],
    ["source", "file", "include: [/a, 5]", "include.1: an item of include must be a text"],
    [
      "source",
      "host_metrics",
      "collectors: [cpu, cup]",
      expect.stringMatching(
        /^collectors\.1: an item of collectors must be one of cgroups/,
      ) as string,
    ],
    [
      "source",
      "host_metrics",
      "log_namespace: true",
      "log_namespace: unknown option log_namespace",
    ],
    [
      "transform",
      "filter",
      "condition: true",
      "condition: condition must be a condition in VRL, or a map with type and source",
    ],
    [
      "transform",
      "filter",
      "condition: {type: vrl}",
      "condition.source: the option source is required",
    ],
    [
      "sink",
      "blackhole",
      "buffer: [{type: disk}]",
      "buffer.0.max_size: the option max_size is required",
    ],
    [
      "sink",
      "blackhole",
      "buffer: {type: memory, max_evnts: 5}",
      "buffer.max_evnts: unknown option max_evnts; did you mean max_events?",
    ],
    [
      "sink",
      "blackhole",
      "buffer: {type: disk, max_size: 268435488, max_events: 500}",
      "buffer.max_events: max_events is refused unless type is memory",
    ],
    [
      "sink",
      "blackhole",
      "proxy: {htp: 'http://a'}",
      "proxy.htp: unknown option htp; did you mean http?",
    ],
  ])("%s %s: %s", (kind, type, body, message) => {
    const errors = saidOf(kind, type, body).filter((said) => said.startsWith("error "));
    expect(errors.map((said) => said.slice("error ".length))).toEqual([message]);
  });
});

describe("a secret where no text is taken", () => {
  const said = (value: string) =>
    compilePipeline(
      `sources:
  in: {type: demo_logs, format: json}
sinks:
  out:
    type: http
    inputs: [in]
    uri: http://a
    encoding: {codec: json}
    batch:
      timeout_secs: ${value}
`,
      { secretNames: new Set(["s"]), certificateNames: new Set() },
      loadVrl,
    ).problems;

  const message =
    "timeout_secs must be a number: write the secret without quotes, on a line of its own";

  test("is pasted as a text between quotes, and as what it is without them", () => {
    expect(said("SECRET[s]")).toEqual([]);
    for (const quoted of ['"SECRET[s]"', "'SECRET[s]'"]) {
      expect(said(quoted)).toMatchObject([
        {
          severity: "error",
          field: "batch.timeout_secs",
          message,
          fixes: [{ title: "Write it without quotes", edits: [{ insert: "SECRET[s]" }] }],
        },
      ]);
    }
    // What is no secret alone would be none without quotes either.
    for (const more of ["|\n        SECRET[s]", '"1SECRET[s]"']) {
      const [problem] = said(more);
      expect(problem?.message).toBe(message);
      expect(problem?.fixes).toBeUndefined();
    }
  });

  test("cannot stand between braces without quotes", () => {
    const [problem] = compilePipeline(
      `sources:
  in: {type: demo_logs, format: json, interval: "SECRET[s]"}
sinks:
  out: {type: blackhole, inputs: [in]}
`,
      { secretNames: new Set(["s"]), certificateNames: new Set() },
      loadVrl,
    ).problems;
    expect(problem?.message).toMatch(/^interval must be a number/);
    expect(problem?.fixes).toBeUndefined();
  });
});
