import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import manifest from "./module/manifest.json" with { type: "json" };

/** Reads the compiler. Throws when it is not the one that was built. */
export function readModule(): Uint8Array<ArrayBuffer> {
  const compressed = readFileSync(new URL("module/vrl.wasm.br", import.meta.url));
  const module = brotliDecompressSync(compressed, { maxOutputLength: manifest.wasmBytes });
  const sha256 = createHash("sha256").update(module).digest("hex");
  if (sha256 !== manifest.sha256) {
    throw new Error("vrl/module/vrl.wasm.br is not the module of vrl/module/manifest.json");
  }
  return module;
}
