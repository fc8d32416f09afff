import { parentPort, workerData } from "node:worker_threads";
import { check, initSync } from "./module/vrl.js";
import { readModule } from "./read-module.ts";
import { State, take, type Answer, type Asked, type Begin } from "./second-thread.ts";

const { state } = workerData as Begin;
initSync({ module: readModule() });

parentPort?.on("message", ({ programs, answers }: Asked) => {
  try {
    for (let at = take(state); at < programs.length; at = take(state)) {
      const [source, options] = programs[at] ?? ["", "{}"];
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
      answers.postMessage([at, check(source, options)] satisfies Answer);
    }
    turn(State.idle);
  } catch {
    // The program has broken the module. Whoever asked meets it too, and tells.
    turn(State.broken);
  }
});
turn(State.idle);

function turn(to: number): void {
  Atomics.store(state, State.slot, to);
  Atomics.notify(state, State.slot);
}
