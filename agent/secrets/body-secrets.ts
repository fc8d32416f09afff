import type { PipelineBody } from "../reconcile/desired-state.ts";

const strictly = new TextDecoder("utf-8", { fatal: true });

/**
 * The secrets of a body as texts, since a configuration is one. A value that is no UTF-8 is left out:
 * the configuration that refers to it then says so.
 */
export function secretTexts(body: PipelineBody): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [name, bytes] of body.secrets) {
    try {
      texts.set(name, strictly.decode(bytes));
    } catch {
      continue;
    }
  }
  return texts;
}
