import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliDecompressSync, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const id = "virtual:vrl-module";
const devPath = "/@vrl-module";

/** The compiler as a browser gets it: gzip, which every browser can unpack by itself, also without https. */
async function compressed(): Promise<Buffer> {
  const path = join(import.meta.dirname, "../../vrl/module/vrl.wasm.br");
  return gzipSync(brotliDecompressSync(await readFile(path)), { level: 9 });
}

/** Makes `import url from "virtual:vrl-module"` the address of the VRL compiler. */
export function vrlModule(): Plugin {
  let isBuild = false;
  return {
    name: "vrl-module",
    configResolved: ({ command }) => {
      isBuild = command === "build";
    },
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    async load(source) {
      if (source !== `\0${id}`) return undefined;
      if (!isBuild) return `export default ${JSON.stringify(devPath)};`;
      const reference = this.emitFile({
        type: "asset",
        name: "vrl.wasm.gz",
        source: await compressed(),
      });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
    configureServer(server) {
      server.middlewares.use(devPath, (_request, response) => {
        void compressed().then((bytes) => response.end(bytes));
      });
    },
  };
}
