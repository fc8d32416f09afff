import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { compilePipeline } from "../server/configuration/compile.ts";
import { startVrl } from "./browser.ts";
import { checkText } from "./check-text.ts";
import { programs } from "./testing/programs.ts";
import { loadVrl } from "./vrl.ts";

const module = brotliDecompressSync(readFileSync(join(import.meta.dirname, "module/vrl.wasm.br")));
const check = startVrl(module);
const context = { secretNames: new Set(["key"]), certificateNames: new Set<string>() };

/** The findings of both sides, in the same order. */
function both(text: string) {
  const server = compilePipeline(text, context, loadVrl);
  const places = new Set(
    server.programs.map(({ componentKey, path }) => `${componentKey} ${path.join(".")}`),
  );
  const sort = (found: readonly object[]): readonly string[] =>
    found.map((finding) => JSON.stringify(finding)).toSorted();
  return {
    server: sort(
      server.problems
        .filter(({ componentKey, field }) => places.has(`${componentKey} ${field}`))
        .map(({ severity, message, span, componentKey, field }) => ({
          severity,
          message,
          span,
          componentKey,
          field,
        })),
    ),
    browser: sort(checkText(text, server.programs, check)),
  };
}

const all = `sources:
  in: {type: demo_logs, format: json}
  web: {type: http_server, address: "127.0.0.1:80", auth: {strategy: custom, source: 'upcase(.a)'}}
  m: {type: internal_metrics}
enrichment_tables:
  users: {type: file, file: {path: /u.csv, encoding: {type: csv}}}
transforms:
  good: {type: remap, inputs: [in], source: '.key = "SECRET[key]"'}
  bad:
    type: remap
    inputs: [in, web]
    source: |
      ."ключ" = "😀" # é
      .a = upcase(.b)
      .c = no_such()
      .row = get_enrichment_table_record!("gone", {"id": 1})
  metrics: {type: remap, inputs: [m], source: ".tags.x = to_string(length(.))"}
  sure: {type: remap, inputs: [in], source: ".status = 200"}
  never: {type: remap, inputs: [sure], source: ".a = upcase!(.status)"}
  cond: {type: filter, inputs: [bad], condition: .a}
  "r": {type: route, inputs: [cond], route: {"b.c": {type: vrl, source: .a}, ok: "true"}}
  x: {type: exclusive_route, inputs: [r.ok], routes: [{name: a, condition: "1"}]}
sinks:
  out: {type: blackhole, inputs: ["*"]}
tests:
  - name: a
    inputs: [{insert_at: bad, type: raw, value: a}, {insert_at: bad, type: vrl, source: '% = "all"'}]
    outputs: [{extract_from: bad, conditions: [.z]}]
`;

describe("a browser says what the server says", () => {
  test("of all places where programs can stand", () => {
    const { server, browser } = both(all);
    expect(browser).toEqual(server);
    expect(browser.length).toBeGreaterThanOrEqual(10);
  });

  test("of programs that are right and wrong in many ways", () => {
    for (const { source, condition } of programs) {
      const body =
        condition === true ? { type: "filter", condition: source } : { type: "remap", source };
      const text = `enrichment_tables:\n  users: {type: file, file: {path: /u.csv, encoding: {type: csv}}}\n${JSON.stringify(
        {
          sources: { in: { type: "demo_logs", format: "json" } },
          transforms: { t: { inputs: ["in"], ...body } },
          sinks: { out: { type: "blackhole", inputs: ["t"] } },
        },
        null,
        2,
      )
        .replace(/^\{/, "")
        .replace(/\}$/, "")
        .replaceAll(/^ {2}/gm, "")
        .replaceAll(/,$/gm, "")}`;
      const { server, browser } = both(text);
      expect([source, browser]).toEqual([source, server]);
    }
  });
});

test("a program that changed since the server saw it is compiled as it is now", () => {
  const { programs: places } = compilePipeline(all, context, loadVrl);
  const typed = all.replace(".key = ", ".key = upcase(.x) # ");
  const found = checkText(typed, places, check).filter(
    ({ componentKey }) => componentKey === "good",
  );
  expect(found).toMatchObject([{ severity: "error", field: "source" }]);
  expect(typed.slice(found[0]?.span?.from, found[0]?.span?.to)).toBe("upcase(.x)");
});

test("nothing is said of a text that is no YAML, nor of programs that are not there", () => {
  const { programs: places } = compilePipeline(all, context, loadVrl);
  expect(checkText("a: [", places, check)).toEqual([]);
  expect(checkText("sources: {}", places, check)).toEqual([]);
  const repeated = all.replace(
    "good: {type: remap, inputs: [in], source: '.key = \"SECRET[key]\"'}",
    "good: &a {type: remap, inputs: [in], source: .b =}\n  more: *a",
  );
  expect(
    checkText(repeated, [{ componentKey: "more", path: ["source"], options: {} }], check),
  ).toEqual([]);
});
