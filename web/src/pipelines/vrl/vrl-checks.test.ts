import { create } from "@bufbuild/protobuf";
import { createRoot, createSignal } from "solid-js";
import { describe, expect, test } from "vitest";

import { ProblemSchema, Severity } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PreviewPipelineResponseSchema } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import type { ProgramFinding } from "#vrl/check-text.ts";

import { FakeClock } from "../../testing/fake-clock.ts";
import { programPlaces, shownProblems } from "./shown-problems.ts";
import {
  checkLimitMs,
  createVrlChecks,
  loadLimitMs,
  vrlDelayMs,
  type WorkerAnswer,
  type WorkerOrder,
} from "./vrl-checks.ts";

const finding = (message: string): ProgramFinding => ({
  severity: "error",
  message,
  span: { from: 0, to: 1 },
  componentKey: "t",
  field: "source",
});

/** Threads that answer when they are told to. */
function world() {
  const clock = new FakeClock();
  const threads: {
    orders: Omit<WorkerOrder, "moduleUrl">[];
    ended: boolean;
    answer: (answer: WorkerAnswer) => void;
  }[] = [];
  const [text, setText] = createSignal("one");
  const { checked, dispose } = createRoot((dispose) => ({
    dispose,
    checked: createVrlChecks(text, () => [{ componentKey: "t", path: ["source"], options: {} }], {
      clock,
      start(answer) {
        const thread = { orders: [] as Omit<WorkerOrder, "moduleUrl">[], ended: false, answer };
        threads.push(thread);
        return { send: (order) => thread.orders.push(order), end: () => (thread.ended = true) };
      },
    }),
  }));
  return { clock, threads, setText, checked, dispose };
}

describe("checks in the browser", () => {
  test("come after a pause, one at a time, and the last text wins", async () => {
    const { clock, threads, setText, checked, dispose } = world();
    await clock.advance(vrlDelayMs);
    expect(threads[0]?.orders.map(({ text }) => text)).toEqual(["one"]);
    setText("two");
    setText("three");
    await clock.advance(vrlDelayMs);
    expect(threads[0]?.orders).toHaveLength(1);
    threads[0]?.answer({ id: 1, findings: [finding("a")] });
    expect(checked()).toMatchObject({ text: "one", findings: [{ message: "a" }] });
    expect(threads[0]?.orders.map(({ text }) => text)).toEqual(["one", "three"]);
    threads[0]?.answer({ id: 2, findings: [] });
    expect(checked()).toEqual({ text: "three", findings: [] });
    dispose();
    expect(threads[0]?.ended).toBe(true);
  });

  test("that take too long cost the thread, and after three of them there are no more", async () => {
    const { clock, threads, setText, dispose } = world();
    await clock.advance(vrlDelayMs);
    threads[0]?.answer({ id: 1, findings: [] });
    for (let round = 1; round <= 4; round += 1) {
      setText(`text ${round}`);
      await clock.advance(vrlDelayMs);
      await clock.advance(round === 1 ? checkLimitMs : loadLimitMs);
    }
    expect(threads.map(({ ended }) => ended)).toEqual([true, true, true]);
    dispose();
  });
});

const response = create(PreviewPipelineResponseSchema, {
  programs: {
    programs: [{ componentKey: "t", path: ["source"], optionsIndex: 0 }],
    optionsJson: ['{"condition":false}'],
  },
  problems: [
    {
      severity: Severity.ERROR,
      message: "of a program",
      componentKey: "t",
      field: "source",
      from: 8,
      to: 9,
      line: 1,
    },
    { severity: Severity.WARNING, message: "after", componentKey: "x", from: 12, to: 15, line: 2 },
    {
      severity: Severity.WARNING,
      message: "typed over",
      componentKey: "x",
      from: 6,
      to: 9,
      line: 1,
    },
    { severity: Severity.WARNING, message: "of the whole" },
  ].map((problem) => create(ProblemSchema, problem)),
});
const before = "abc: .x = 1\nxyz";

describe("shown problems", () => {
  const said = (text: string, compiled?: { text: string; findings: ProgramFinding[] }) =>
    shownProblems(text, { text: before, response }, compiled)?.map(
      ({ message, from, line }) => `${message} ${from} ${line}`,
    );

  test("are the server's for the text that it saw", () => {
    expect(said(before)).toHaveLength(4);
  });

  test("are those of programs from the browser, and others at their moved places", () => {
    const text = "abc: .x = upcase(1)\nxyz";
    expect(said(text)).toBeUndefined();
    const found = { ...finding("new"), span: { from: 10, to: 16 } };
    expect(said(text, { text, findings: [found] })).toEqual([
      "after 20 2",
      "typed over 6 1",
      "of the whole 0 0",
      "new 10 1",
    ]);
    const over = "abc: .yy = 1\nxyz";
    expect(said(over, { text: over, findings: [] })).toEqual(["after 13 2", "of the whole 0 0"]);
  });

  test("places of programs come with the options of each", () => {
    expect(programPlaces(response.programs)).toEqual([
      { componentKey: "t", path: ["source"], options: { condition: false } },
    ]);
  });
});
