import { isReserved } from "../vector/reserved.ts";
import type { OutputStream } from "./child.ts";
import type { SpooledLine } from "./log-spool.ts";
import { lineText, type VectorLine } from "./vector-log-line.ts";

const severity: ReadonlyMap<string, number> = new Map([
  ["trace", 0],
  ["debug", 1],
  ["info", 2],
  ["warn", 3],
  ["error", 4],
  ["off", 5],
]);

/**
 * What the server gets of a line; undefined when the pipeline's log level hides it. What the
 * console sink wrote is output and not log, and passes at every level.
 */
export function lineForServer(
  pipelineId: string,
  line: VectorLine,
  stream: OutputStream,
  logLevel: string,
  now: Date,
): SpooledLine | undefined {
  const text = line.isLog ? lineText(line) : line.message;
  if (text.trim() === "") return undefined;
  const own = isReserved(line.componentId);
  if (line.isLog) {
    const least = severity.get(logLevel) ?? 2;
    const level = severity.get(line.level) ?? 2;
    // The agent's own components are none of the person's; their errors still explain an end.
    if (level < least || (own && level < 3)) return undefined;
  }
  return {
    pipelineId,
    time: line.time ?? now,
    level: line.level,
    stream,
    componentId: own ? "" : line.componentId,
    text,
  };
}
