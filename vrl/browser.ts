import { check, initSync } from "./module/vrl.js";
import type { VrlChecked, VrlCompileOptions } from "./vrl.ts";

/** Loads the module into this thread, in a browser as in Node.js. */
export function startVrl(
  module: Uint8Array<ArrayBuffer>,
): (source: string, options: VrlCompileOptions) => VrlChecked {
  initSync({ module });
  return (source, options) => JSON.parse(check(source, JSON.stringify(options))) as VrlChecked;
}
