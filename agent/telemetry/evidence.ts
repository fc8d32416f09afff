import type { Flow } from "../process/flow.ts";
import type { ConfigProblem } from "../process/pipeline-status.ts";

const windowMs = 60_000;

/** What flowed in the last minute, for the words beside "running, not delivering". */
export class LastMinute {
  readonly #flows: { readonly at: number; readonly flow: Flow }[] = [];

  add(at: number, flow: Flow): void {
    this.#flows.push({ at, flow });
    while ((this.#flows[0]?.at ?? at) <= at - windowMs) this.#flows.shift();
  }

  sum(): Flow {
    const total = (value: (flow: Flow) => number): number =>
      this.#flows.reduce((sum, { flow }) => sum + value(flow), 0);
    return {
      received: total(({ received }) => received),
      sent: total(({ sent }) => sent),
      errors: total(({ errors }) => errors),
      stalled: this.#flows.every(({ flow }) => flow.stalled),
    };
  }
}

/** The counters and the last error line, in a sentence. */
export function undeliveredText(flow: Flow, lastError: ConfigProblem | undefined): string {
  const counters = `in the last minute its sources received ${flow.received} events, its sinks sent ${flow.sent}, and there were ${flow.errors} errors`;
  if (lastError === undefined) return counters;
  const where = lastError.componentId === "" ? "" : `component "${lastError.componentId}": `;
  return `${counters}; last error: ${where}${lastError.message.split("\n")[0] ?? ""}`;
}
