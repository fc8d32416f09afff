import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import type { CheckContext } from "./check.ts";
import { compilePipeline } from "../compile.ts";
import { demoPipeline } from "../../pipelines/demo.ts";
import type { Problem } from "../graph.ts";
import { listenersOf } from "./listeners.ts";

const base: CheckContext = { secretNames: new Set(["mode"]), certificateNames: new Set<string>() };
const problemsOf = (text: string, context = base): readonly Problem[] =>
  compilePipeline(text, context, loadVrl).problems;
const saidOf = (text: string, context = base): readonly string[] =>
  problemsOf(text, context).map(
    ({ severity, componentKey, field, message }) =>
      `${severity} ${[componentKey, field].filter(Boolean).join(".")}: ${message}`,
  );

const sink = (body: string): string =>
  `sources:\n  in: {type: demo_logs, format: json}\nsinks:\n  out: {inputs: [in], ${body}}\n`;

describe("an option that counts only with another one", () => {
  test.each([
    [
      "type: socket, mode: udp, address: 'a:1', encoding: {codec: json}, tls: {enabled: true}",
      ["warning out.tls: tls has no effect unless mode is tcp"],
    ],
    ["type: socket, mode: tcp, address: 'a:1', encoding: {codec: json}, tls: {enabled: true}", []],
    [
      "type: console, encoding: {codec: json, avro: {schema: x}}",
      ["warning out.encoding.avro: avro has no effect unless codec is avro"],
    ],
    [
      "type: blackhole, buffer: {type: disk, max_size: 268435488, max_events: 5}",
      ["error out.buffer.max_events: max_events is refused unless type is memory"],
    ],
    // The value that holds anyway makes no difference.
    [
      "type: socket, mode: udp, address: 'a:1', encoding: {codec: json, metric_tag_values: single}",
      [],
    ],
    // It counts by default, or what decides is filled in on the hosts.
    ["type: blackhole, buffer: {max_events: 5}", []],
    [
      "type: socket, mode: 'SECRET[mode]', address: 'a:1', encoding: {codec: json}, tls: {enabled: true}",
      [],
    ],
  ])("%s", (body, expected) => {
    expect(saidOf(sink(body))).toEqual(expected);
  });

  test("is not asked for while it does not count, and is when it does", () => {
    expect(saidOf(sink("type: console, encoding: {codec: avro}"))).toEqual([
      "error out.encoding.avro: the option avro is required",
    ]);
    expect(saidOf(sink("type: blackhole, buffer: {type: disk}"))).toEqual([
      "error out.buffer.max_size: the option max_size is required",
    ]);
    expect(saidOf(sink("type: blackhole, buffer: {type: memory}"))).toEqual([]);
  });

  test("leaves the demo alone", () => {
    expect(saidOf(demoPipeline.yaml)).toEqual([]);
  });
});

const sources = (...bodies: readonly string[]): string =>
  `sources:\n${bodies.map((body, index) => `  s${index}: ${body}\n`).join("")}sinks:\n  out: {type: blackhole, inputs: ["s*"]}\n`;
const http = (address: string): string => `{type: http_server, address: "${address}"}`;

describe("a port", () => {
  test.each([
    ["the same address", [http("127.0.0.1:80"), http("127.0.0.1:80")], 1],
    ["all addresses and one", [http("0.0.0.0:80"), http("10.0.0.1:80")], 1],
    ["all addresses of both families", [http("[::]:80"), http("10.0.0.1:80")], 1],
    ["addresses of two families", [http("0.0.0.0:80"), http("[::1]:80")], 0],
    ["two addresses", [http("127.0.0.1:80"), http("127.0.0.2:80")], 0],
    ["two ports", [http("127.0.0.1:80"), http("127.0.0.1:81")], 0],
    [
      "two protocols",
      [http("127.0.0.1:80"), '{type: syslog, mode: udp, address: "127.0.0.1:80"}'],
      0,
    ],
    ["any free port", [http("127.0.0.1:0"), http("127.0.0.1:0")], 0],
    [
      "a socket file",
      ["{type: syslog, mode: unix, path: /a}", "{type: syslog, mode: unix, path: /b}"],
      0,
    ],
    ["standard input", ["{type: stdin}", "{type: stdin}"], 1],
    ["the address that one has by default", ["{type: splunk_hec}", http("0.0.0.0:8088")], 1],
    ["an address filled in later", [http("SECRET[mode]"), http("SECRET[mode]")], 0],
    [
      "two listeners of one source",
      ['{type: opentelemetry, grpc: {address: "0.0.0.0:4317"}, http: {address: "0.0.0.0:4317"}}'],
      1,
    ],
  ])("is taken twice: %s", (_name, bodies, count) => {
    const found = problemsOf(sources(...bodies)).filter(({ message }) =>
      / listens on /.test(message),
    );
    expect(found).toHaveLength(count);
    for (const { severity, componentKey } of found) {
      expect([severity, componentKey]).toEqual(["error", `s${bodies.length - 1}`]);
    }
  });

  test("is none of what connects by an option that is an address by its other name", () => {
    const config = { address: "127.0.0.1:6650", topics: ["t"] };
    expect(listenersOf({ key: "in", kind: "source", type: "pulsar", config })).toEqual([]);
  });

  test("that another pipeline on the same hosts has is a warning that names it", () => {
    const listeners = listenersOf({
      key: "web",
      kind: "source",
      type: "http_server",
      config: { address: "0.0.0.0:80" },
    });
    const context = { ...base, neighbours: [{ name: "Edge logs", listeners }] };
    expect(saidOf(sources(http("127.0.0.1:80")), context)).toEqual([
      "warning s0.address: the pipeline Edge logs listens on tcp 0.0.0.0:80 too (web), and some hosts run both: only one of them can",
    ]);
    expect(saidOf(sources(http("127.0.0.1:81")), context)).toEqual([]);
  });
});

describe("unit tests", () => {
  const tested = (test_: string): string => `sources:
  in: {type: demo_logs, format: json}
transforms:
  t: {type: remap, inputs: [in], source: .a = 1}
sinks:
  out: {type: blackhole, inputs: [t]}
tests:
  - ${test_}
`;
  const feed = "inputs: [{insert_at: t, type: log, log_fields: {a: 1}}]";

  test.each([
    [
      `{name: a, ${feed}, outputs: [{extract_from: t, conditions: ['.a == 1', {type: vrl, source: 'true'}]}]}`,
      [],
    ],
    [
      `{name: a, ${feed}, outputs: [{extract_from: t, conditions: ['.a']}]}`,
      ["error tests.0.outputs.0.conditions.0: VRL conditions must return a boolean."],
    ],
    [
      `{name: a, ${feed}, outputs: [{extract_from: t, conditions: [{type: vrl, source: '.a ='}]}]}`,
      [expect.stringMatching(/^error tests\.0\.outputs\.0\.conditions\.0\.source: VRL error 204/)],
    ],
    [
      `{name: a, inputs: [{insert_at: t, type: vrl, source: '.a = upcase(.b)'}], no_outputs_from: [t]}`,
      [expect.stringMatching(/^error tests\.0\.inputs\.0\.source: VRL error 103/)],
    ],
    [
      `{name: a, ${feed.replace("insert_at: t", "insert_at: tt")}, no_outputs_from: [in]}`,
      ["warning tests.0.inputs.0.insert_at: there is no transform tt to feed; did you mean t?"],
    ],
    [
      `{name: a, ${feed}, no_outputs_from: [t.x]}`,
      [expect.stringMatching(/^error tests\.0\.no_outputs_from\.0: there is no output t\.x/)],
    ],
  ])("%s", (body, expected) => {
    expect(saidOf(tested(body))).toEqual(expected);
  });

  test("have their problems at their place", () => {
    const text = tested(`{name: a, ${feed}, outputs: [{extract_from: t, conditions: ['.abc']}]}`);
    const [problem] = problemsOf(text);
    expect(text.slice(problem?.span?.from, problem?.span?.to)).toBe("'.abc'");
  });
});
