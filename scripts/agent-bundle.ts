import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "vite";
import { version } from "#common/version.ts";

const root = join(import.meta.dirname, "..");

/** What a single file has to do differently: it has neither package.json nor packages with native files beside it. */
function singleFile(): Plugin {
  return {
    name: "vectorflow-single-file",
    enforce: "pre",
    load(id) {
      if (id === join(root, "common/version.ts")) {
        return `export const version = ${JSON.stringify(version)};`;
      }
      if (id.endsWith("/@lydell/node-pty/requireBinary.js")) {
        const room = JSON.stringify(join(root, "agent/native-asset.ts"));
        return `import { loadNativeAsset } from ${room};
export const requireBinary = (file) => loadNativeAsset(file);`;
      }
      return undefined;
    },
  };
}

/**
 * Escapes what is not ASCII: one such character, and V8 keeps the whole source with two bytes for each. Minified
 * code has them in strings, templates and regular expressions only, where the escape means the same.
 */
function asciiOnly(code: string): string {
  return code.replaceAll(
    /[^\0-\x7F]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Bundles the agent with everything it imports into `<folder>/agent.cjs`. Returns the path. */
export async function bundleAgent(
  folder: string,
  entry = join(root, "agent/main.ts"),
): Promise<string> {
  await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: [singleFile()],
    ssr: { noExternal: true, target: "node" },
    resolve: { conditions: ["node", "require", "default"] },
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      minify: true,
      sourcemap: false,
      target: "node26",
      rolldownOptions: {
        output: { format: "cjs", entryFileNames: "agent.cjs", codeSplitting: false },
      },
    },
  });
  const bundle = join(folder, "agent.cjs");
  await writeFile(bundle, asciiOnly(await readFile(bundle, "utf8")));
  return bundle;
}
