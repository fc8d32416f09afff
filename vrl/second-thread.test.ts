import { expect, test, vi } from "vitest";
import { check, initSync } from "./module/vrl.js";
import { readModule } from "./read-module.ts";
import { SecondThread, type ProgramText } from "./second-thread.ts";
import { loadVrl } from "./vrl.ts";

const slow = { timeout: 30_000, interval: 20 };
const asleep = new Int32Array(new SharedArrayBuffer(4));

async function started(): Promise<SecondThread> {
  const thread = new SecondThread();
  await vi.waitFor(() => expect(thread.isIdle).toBe(true), slow);
  return thread;
}

test("two threads compile what one would, in its order", async () => {
  initSync({ module: readModule() });
  const programs = Array.from({ length: 40 }, (_, at): ProgramText => {
    return [at % 3 === 0 ? `.a${at} = upcase(.b)` : `.a${at} = ${at}`, "{}"];
  });
  const alone = programs.map(([source, options]) => check(source, options));
  const thread = await started();
  for (let round = 0; round < 3; round++) {
    let own = 0;
    const answers = thread.compile(programs, (source, options) => {
      own += 1;
      // The other thread has time to take some too.
      Atomics.wait(asleep, 0, 0, 50);
      return check(source, options);
    });
    expect(answers).toEqual(alone);
    expect(own).toBeGreaterThan(0);
    expect(own).toBeLessThan(programs.length);
    expect(thread.isIdle).toBe(true);
  }
  thread.end();
});

test("what breaks the second thread is left to the first, and is told", async () => {
  const depth = 20_000;
  const source = `.x = ${"(".repeat(depth)}1${")".repeat(depth)}`;
  const thread = await started();
  const programs = Array.from({ length: 10 }, (_, at): ProgramText => [`${source} + ${at}`, "{}"]);
  const answers = thread.compile(programs, (text) => {
    Atomics.wait(asleep, 0, 0, 50);
    return text.slice(-1);
  });
  expect(answers).toEqual(programs.map((_, at) => String(at)));
  expect(thread.isBroken).toBe(true);
  thread.end();
});

test("many programs at once get the answers that each gets alone, twice the same ones too", () => {
  const vrl = loadVrl();
  const programs = Array.from({ length: 60 }, (_, at) => ({
    source: at % 2 === 0 ? `.n = ${at % 20}` : `.n = upcase(.missing${at})`,
    options: { condition: at % 5 === 0 },
  }));
  const together = vrl.checkAll(programs);
  expect(together).toEqual(programs.map(({ source, options }) => vrl.check(source, options)));
  expect(vrl.checkAll(programs)).toEqual(together);
  expect(vrl.checkAll([])).toEqual([]);
});
