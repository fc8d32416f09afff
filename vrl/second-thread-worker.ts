import { parentPort, workerData } from "node:worker_threads";
import { check, initSync } from "./module/vrl.js";
import { readModule } from "./read-module.ts";
import { take, turn, type Answer, type Asked } from "./second-thread.ts";

const memory = workerData as Int32Array;
initSync({ module: readModule() });

parentPort?.on("message", ({ programs, answers }: Asked) => {
  try {
    for (let at = take(memory); at < programs.length; at = take(memory)) {
      const [source, options] = programs[at] ?? ["", "{}"];
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
      answers.postMessage([at, check(source, options)] satisfies Answer);
    }
    turn(memory, "idle");
  } catch {
    // The program has broken the module. Whoever asked meets it too, and tells.
    turn(memory, "broken");
  }
});
turn(memory, "idle");
