import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from "node:worker_threads";

/** A program and its compile options in JSON. */
export type ProgramText = readonly [source: string, options: string];
/** The place of a program among those that were asked for, and the compiler's answer in JSON. */
export type Answer = readonly [at: number, answer: string];

export interface Asked {
  readonly programs: readonly ProgramText[];
  readonly answers: MessagePort;
}

/** What the second thread does. */
const State = { loading: 0, idle: 1, busy: 2, broken: 3 } as const;
type StateName = keyof typeof State;

/** The memory by which the two threads agree: a state, and the place of the first program that nobody has taken. */
const stateCell = 0;
const nextCell = 1;

/** Takes the next program, on either thread. */
export function take(memory: Int32Array): number {
  return Atomics.add(memory, nextCell, 1);
}

export function turn(memory: Int32Array, to: StateName): void {
  Atomics.store(memory, stateCell, State[to]);
  Atomics.notify(memory, stateCell);
}

/** No program that is worth waiting for takes longer. */
const maximumWaitMs = 30_000;

/**
 * Compiles programs while this thread compiles others of the same list: each takes the next one that nobody has taken.
 * This thread then waits for it, without turning to anything else, so that a check stays one call.
 */
export class SecondThread {
  readonly #worker: Worker;
  readonly #memory = new Int32Array(new SharedArrayBuffer(8));

  constructor() {
    this.#worker = new Worker(new URL("second-thread-worker.ts", import.meta.url), {
      workerData: this.#memory,
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    this.#worker.unref();
    // What it was asked for is compiled here then.
    this.#worker.on("error", () => turn(this.#memory, "broken"));
  }

  get isIdle(): boolean {
    return Atomics.load(this.#memory, stateCell) === State.idle;
  }

  /** It does nothing any more. */
  get isBroken(): boolean {
    return Atomics.load(this.#memory, stateCell) === State.broken;
  }

  /**
   * Gives the answers to all programs in their order, some from `compile` on this thread. Where the second thread broke,
   * `compile` is asked for what is missing.
   */
  compile(programs: readonly ProgramText[], compile: (...text: ProgramText) => string): string[] {
    const memory = this.#memory;
    const { port1, port2 } = new MessageChannel();
    const answers: string[] = [];
    try {
      Atomics.store(memory, nextCell, 0);
      turn(memory, "busy");
      const asked: Asked = { programs, answers: port2 };
      this.#worker.postMessage(asked, [port2]);
      for (let at = take(memory); at < programs.length; at = take(memory)) {
        answers[at] = compile(...(programs[at] ?? ["", "{}"]));
      }
      const ended = Atomics.wait(memory, stateCell, State.busy, maximumWaitMs);
      if (ended === "timed-out") turn(memory, "broken");
      for (let got = receiveMessageOnPort(port1); got; got = receiveMessageOnPort(port1)) {
        const [at, answer] = got.message as Answer;
        answers[at] = answer;
      }
    } finally {
      port1.close();
    }
    return programs.map((program, at) => answers[at] ?? compile(...program));
  }

  end(): void {
    void this.#worker.terminate();
  }
}
