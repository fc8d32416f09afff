import { expect, test } from "vitest";
import { loadVrl, type VrlToCheck } from "#vrl/vrl.ts";
import { compilePipeline } from "../compile.ts";

const context = {
  secretNames: new Set<string>(),
  certificateNames: new Set<string>(),
  rendered: false,
};

const remap = (key: string, inputs: string, source: string): string => `  ${key}:
    type: remap
    inputs: [${inputs}]
    source: |
      ${source}
`;

/** Two branches from one transform that meet again, with a condition behind them. */
const diamond = `sources:
  in: {type: demo_logs, format: json}
transforms:
${remap("last", "left, right", ".a = [.a]")}${remap("left", "first", ".a = 1")}${remap("right", "first", '.a = "x"')}${remap("first", "in", ". = {}")}  only: {type: filter, inputs: [last], condition: '.a == 1'}
sinks:
  out: {type: blackhole, inputs: [only]}
`;

/** Transforms that read from one another in a circle, and one that reads from it. */
const circle = `sources:
  in: {type: demo_logs, format: json}
transforms:
${remap("a", "in, c", ".a = 1")}${remap("b", "a", ".b = 1")}${remap("c", "b", ".c = 1")}${remap("d", "c", ".d = 1")}sinks:
  out: {type: blackhole, inputs: [d]}
`;

function asked(text: string) {
  const vrl = loadVrl();
  const groups: VrlToCheck[][] = [];
  const single: VrlToCheck[] = [];
  const compiled = compilePipeline(text, context, () => ({
    ...vrl,
    check(source, options = {}) {
      single.push({ source, options });
      return vrl.check(source, options);
    },
    checkAll(programs) {
      groups.push([...programs]);
      return vrl.checkAll(programs);
    },
  }));
  const sources = groups.map((group) => group.map(({ source }) => source.trim()).toSorted());
  return { compiled, groups, sources, single };
}

test("programs are compiled together when none needs what another one makes of events", () => {
  const { groups, sources, single } = asked(diamond);
  const together = new Set(
    groups.flat().map(({ source, options }) => JSON.stringify({ source, options })),
  );
  expect(sources).toEqual([[". = {}", ".a == 1"], ['.a = "x"', ".a = 1"], [".a = [.a]"]]);
  // What is asked alone is something else: whether it fails for what is certain of its events.
  expect(single.filter((one) => together.has(JSON.stringify(one)))).toEqual([]);
  // What meets has been followed by then.
  expect(JSON.stringify(groups[2]?.[0]?.options.target)).toContain(`"a":`);
});

test("programs in a circle are compiled once each", () => {
  const { compiled, sources, single } = asked(circle);
  expect([...sources.flat(), ...single.map(({ source }) => source.trim())].toSorted()).toEqual([
    ".a = 1",
    ".b = 1",
    ".c = 1",
    ".d = 1",
  ]);
  expect(compiled.problems.map(({ message }) => message).join()).toMatch(/circle|cycle/i);
});
