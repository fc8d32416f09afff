import type { SessionResponse } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { TerminalOpen } from "#gen/vectorflow/agent/v1/inspection_pb.ts";
import {
  describeProblem,
  InspectionError,
  isUsableOrderId,
  leaseApi,
  within,
} from "./inspectable.ts";
import type { InspectorDeps, InspectorWire } from "./inspector.ts";
import { personsComponents } from "./tap-target.ts";
import { canOpenTerminals, TopTerminal } from "./terminal.ts";

interface Opened {
  readonly stop: AbortController;
  /** Undefined until it runs. */
  terminal: TopTerminal | undefined;
}

const maxTerminals = 2;
const idleMs = 10 * 60_000;

/** The terminals of one session. */
export class Terminals {
  readonly #deps: InspectorDeps;
  readonly #wire: InspectorWire;
  readonly #over: AbortSignal;
  readonly #opened = new Map<string, Opened>();

  constructor(deps: InspectorDeps, wire: InspectorWire, over: AbortSignal) {
    this.#deps = deps;
    this.#wire = wire;
    this.#over = over;
  }

  /** Orders about what was never opened mean nothing (A6). */
  receive(message: SessionResponse["message"]): void {
    switch (message.case) {
      case "terminalOpen":
        void this.#open(message.value);
        break;
      case "terminalInput":
        this.#opened.get(message.value.terminalId)?.terminal?.input(message.value.content);
        break;
      case "terminalResize": {
        const { columns, rows } = sizeOf(message.value.columns, message.value.rows);
        this.#opened.get(message.value.terminalId)?.terminal?.resize(columns, rows);
        break;
      }
      case "terminalClose":
        this.#opened.get(message.value.terminalId)?.stop.abort(new InspectionError("closed"));
        break;
      default:
        break;
    }
  }

  async #open(order: TerminalOpen): Promise<void> {
    const { terminalId } = order;
    const end = (reason: string): void =>
      this.#wire.send({ case: "terminalOutput", value: { terminalId, closed: true, reason } });
    if (this.#opened.has(terminalId) || !isUsableOrderId(terminalId)) return;
    if (this.#opened.size >= maxTerminals) {
      return end(`more than ${maxTerminals} terminals at once on this host`);
    }
    const opened: Opened = { stop: new AbortController(), terminal: undefined };
    this.#opened.set(terminalId, opened);
    try {
      end(await this.#run(order, opened));
    } catch (error) {
      end(describeProblem(this.#deps.log, "cannot open a terminal", error, this.#over));
    } finally {
      this.#opened.delete(terminalId);
    }
  }

  /** The agent decides what is run: the order can only name the one thing that may. */
  async #run(order: TerminalOpen, opened: Opened): Promise<string> {
    const { terminalId, command, columns, rows, pipelineId } = order;
    if (command.length !== 2 || command[0] !== "vector" || command[1] !== "top") {
      throw new InspectionError("this agent runs nothing but vector top");
    }
    if (!canOpenTerminals()) throw new InspectionError("this agent opens no terminals");
    const signal = AbortSignal.any([opened.stop.signal, this.#over]);
    using lease = await leaseApi(this.#deps.runner(pipelineId), signal);
    const send = (content: Uint8Array): void =>
      this.#wire.send({ case: "terminalOutput", value: { terminalId, content } });
    opened.terminal = new TopTerminal(
      {
        ...sizeOf(columns, rows),
        componentIds: personsComponents(lease.configText),
        env: this.#deps.env,
        clock: this.#deps.clock,
        idleMs,
      },
      {
        opened: () => send(new Uint8Array()),
        output: send,
        isFull: () => this.#wire.isFull(),
      },
    );
    return await opened.terminal.run(lease, signal);
  }
}

function sizeOf(columns: number, rows: number): { columns: number; rows: number } {
  return { columns: within(columns, 80, 20, 500), rows: within(rows, 24, 5, 200) };
}
