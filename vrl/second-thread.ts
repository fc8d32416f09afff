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

/** What the thread begins with: the memory by which the two agree. */
export interface Begin {
  readonly state: Int32Array;
}

export interface Asked {
  readonly programs: readonly ProgramText[];
  readonly answers: MessagePort;
}

/** In that memory: what the second thread does, and the first program that nobody has taken. */
export const State = { slot: 0, next: 1, loading: 0, idle: 1, busy: 2, broken: 3 } as const;

/** No program that is worth waiting for takes longer. */
const maximumWaitMs = 30_000;

/** Takes the next program, on either thread. */
export function take(state: Int32Array): number {
  return Atomics.add(state, State.next, 1);
}

/**
 * Compiles programs while this thread compiles others of the same list: each takes the next one that nobody has taken.
 * This thread then waits for it, without turning to anything else, so that a check stays one call.
 */
export class SecondThread {
  readonly #worker: Worker;
  readonly #state = new Int32Array(new SharedArrayBuffer(8));

  constructor() {
    const begin: Begin = { state: this.#state };
    this.#worker = new Worker(new URL("second-thread-worker.ts", import.meta.url), {
      workerData: begin,
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    this.#worker.unref();
    // What it was asked for is compiled here then.
    this.#worker.on("error", () => Atomics.store(this.#state, State.slot, State.broken));
  }

  get isIdle(): boolean {
    return Atomics.load(this.#state, State.slot) === State.idle;
  }

  /** It does nothing any more. */
  get isBroken(): boolean {
    return Atomics.load(this.#state, State.slot) === State.broken;
  }

  /**
   * Gives the answers to all programs in their order, some from `compile` on this thread. Where the second thread broke,
   * `compile` is asked for what is missing.
   */
  compile(programs: readonly ProgramText[], compile: (...text: ProgramText) => string): string[] {
    const state = this.#state;
    const { port1, port2 } = new MessageChannel();
    const answers: string[] = [];
    try {
      state[State.next] = 0;
      Atomics.store(state, State.slot, State.busy);
      const asked: Asked = { programs, answers: port2 };
      this.#worker.postMessage(asked, [port2]);
      for (let at = take(state); at < programs.length; at = take(state)) {
        answers[at] = compile(...(programs[at] ?? ["", "{}"]));
      }
      const ended = Atomics.wait(state, State.slot, State.busy, maximumWaitMs);
      if (ended === "timed-out") Atomics.store(state, State.slot, State.broken);
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
