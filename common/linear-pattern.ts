import { setFlagsFromString } from "node:v8";

/** Global, and in V8's engine for linear time. */
const linearFlags = "gl";

/**
 * A regular expression that a person wrote, matched in linear time: a slow one would hold up everything.
 * The engine for it is V8's own; it knows neither look-around nor back-references. Returns what is wrong,
 * in words, when it cannot be used.
 */
export function linearPattern(pattern: string): RegExp | string {
  setFlagsFromString("--enable-experimental-regexp-engine");
  try {
    const compiled = new RegExp(pattern, linearFlags);
    if (compiled.test("")) return `the rule ${pattern} matches everything`;
    compiled.lastIndex = 0;
    return compiled;
  } catch (error) {
    return `the rule ${pattern} cannot be used: ${(error as Error).message}`;
  }
}
