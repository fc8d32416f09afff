import type { TerminalOutput } from "#gen/vectorflow/agent/v1/inspection_pb.ts";
import { ViewerQueue } from "../sampling/event-queue.ts";
import type { SendOrder } from "./agent-inspection.ts";
import { clean } from "./text.ts";

/** A terminal as its viewer holds it; disposing it closes it on the host. */
export interface Terminal extends Disposable {
  readonly terminalId: string;
  readonly queue: ViewerQueue<Uint8Array | "opened">;
}

/** A terminal as those see it who control it. */
export interface OpenTerminal {
  readonly columns: number;
  readonly rows: number;
  /** True the first time: the audit keeps one row of what was typed into it. */
  takeFirstUse(): boolean;
}

interface Entry extends OpenTerminal {
  readonly pipelineId: string;
  readonly userId: string;
  readonly queue: Terminal["queue"];
  columns: number;
  rows: number;
}

/** A viewer who is further behind sees a torn screen anyway. */
const viewerBytes = 2 * 1024 * 1024;
const maxContentBytes = 256 * 1024;

/** The terminals on one connected host, each of one person. */
export class AgentTerminals {
  readonly #send: SendOrder;
  readonly #open = new Map<string, Entry>();

  constructor(send: SendOrder) {
    this.#send = send;
  }

  open(order: {
    readonly terminalId: string;
    readonly pipelineId: string;
    readonly userId: string;
    readonly columns: number;
    readonly rows: number;
  }): Terminal {
    const { terminalId, userId, ...rest } = order;
    const queue: Terminal["queue"] = new ViewerQueue(viewerBytes);
    let used = false;
    this.#open.set(terminalId, {
      ...rest,
      userId,
      queue,
      takeFirstUse: () => {
        const first = !used;
        used = true;
        return first;
      },
    });
    const value = { ...rest, terminalId, command: ["vector", "top"] };
    this.#send({ case: "terminalOpen", value });
    return {
      terminalId,
      queue,
      [Symbol.dispose]: () => {
        if (!this.#open.delete(terminalId)) return;
        this.#send({ case: "terminalClose", value: { terminalId } });
      },
    };
  }

  /** Somebody else's terminal is none (X3). */
  find(terminalId: string, pipelineId: string, userId: string): OpenTerminal | undefined {
    const entry = this.#open.get(terminalId);
    return entry?.userId === userId && entry.pipelineId === pipelineId ? entry : undefined;
  }

  input(terminalId: string, content: Uint8Array): void {
    this.#send({ case: "terminalInput", value: { terminalId, content } });
  }

  resize(terminalId: string, columns: number, rows: number): void {
    const entry = this.#open.get(terminalId);
    if (entry === undefined) return;
    entry.columns = columns;
    entry.rows = rows;
    this.#send({ case: "terminalResize", value: { terminalId, columns, rows } });
  }

  receive({ terminalId, content, closed, reason }: TerminalOutput): void {
    const entry = this.#open.get(terminalId);
    if (entry === undefined) {
      // Its viewer has gone, and the order to close may have been lost.
      if (!closed) this.#send({ case: "terminalClose", value: { terminalId } });
      return;
    }
    if (closed) return this.#end(terminalId, entry, clean(reason, 1024) || "the host closed it");
    if (content.length === 0) entry.queue.push("opened", 0);
    else if (content.length > maxContentBytes || !entry.queue.push(content, content.length)) {
      this.#send({ case: "terminalClose", value: { terminalId } });
      this.#end(terminalId, entry, "it wrote faster than could be shown");
    }
  }

  end(reason: string): void {
    for (const [terminalId, entry] of this.#open) this.#end(terminalId, entry, reason);
  }

  #end(terminalId: string, entry: Entry, reason: string): void {
    this.#open.delete(terminalId);
    entry.queue.end(reason);
  }
}
