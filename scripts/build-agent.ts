import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs, promisify } from "node:util";
import { createGzip } from "node:zlib";
import { extract } from "tar";
import { nodeFlags } from "../agent/self-command.ts";
import { bundleAgent } from "./agent-bundle.ts";

// `npm run build:agent [-- --arch x64|arm64]`: the agent as one file for Linux, in dist/agent/, and the same
// compressed. Node's own single executable application: this Node without its symbols, with the bundle in it.

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);

const usage = `Usage: npm run build:agent [-- --arch ARCH]

Builds dist/agent/vectorflow-agent-linux-ARCH and a compressed copy of it.

  --arch ARCH  x64 or arm64. Default: this machine's.
`;

const triples: Readonly<Record<string, string>> = {
  x64: "x86_64-linux-gnu",
  arm64: "aarch64-linux-gnu",
};

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Fetches a package with npm, which checks its digest, unless it is installed here. Returns its folder. Packages for
 * another architecture cannot be installed beside this machine's own.
 */
async function packageFolder(name: string, version: string, folder: string): Promise<string> {
  const installed = join(root, "node_modules", name);
  const manifest = await readFile(join(installed, "package.json"), "utf8").catch(() => undefined);
  if (manifest !== undefined && (JSON.parse(manifest) as { version: string }).version === version) {
    return installed;
  }
  print(`Fetching ${name} ${version}…`);
  const { stdout } = await run(
    "npm",
    ["pack", `${name}@${version}`, "--pack-destination", folder, "--json", "--loglevel=error"],
    { cwd: folder, maxBuffer: 16 * 1024 * 1024 },
  );
  const [packed] = JSON.parse(stdout) as [{ readonly filename: string } | undefined];
  if (packed === undefined) throw new Error(`npm did not pack ${name}`);
  const target = await mkdtemp(join(folder, "package-"));
  await extract({
    file: join(folder, packed.filename.replace(/^@/, "").replaceAll("/", "-")),
    cwd: target,
    strip: 1,
  });
  return target;
}

function isHost(arch: string): boolean {
  return process.platform === "linux" && process.arch === arch;
}

/** The Node of the project for an architecture, without symbols where a `strip` for it is at hand. */
async function nodeExecutable(arch: string, folder: string): Promise<string> {
  const name = `node-linux-${arch}`;
  const source = isHost(arch)
    ? process.execPath
    : join(await packageFolder(name, process.versions.node, folder), "bin/node");
  const target = join(folder, `node-${arch}`);
  await copyFile(source, target);
  const strip = isHost(arch) ? "strip" : `${triples[arch]}-strip`;
  // Symbols are only of use to debuggers of Node itself; without the tool the file is a fifth larger.
  await run(strip, [target]).catch(() =>
    print(`There is no ${strip}: the file keeps its symbols.`),
  );
  return target;
}

async function versionOf(name: string): Promise<string> {
  const text = await readFile(join(root, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

async function compress(path: string): Promise<string> {
  const xz = spawn("xz", ["-6", "--threads=0", "--keep", "--force", path], { stdio: "ignore" });
  const [code] = await once(xz, "close").catch(() => [1]);
  if (code === 0) return `${path}.xz`;
  await pipeline(createReadStream(path), createGzip({ level: 9 }), createWriteStream(`${path}.gz`));
  return `${path}.gz`;
}

/** Builds the file. Returns its path. */
async function buildBinary(arch: string): Promise<string> {
  const output = join(root, "dist/agent");
  await mkdir(output, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "vectorflow-build-agent-"));
  try {
    const pty = "@lydell/node-pty";
    const native = await packageFolder(`${pty}-linux-${arch}`, await versionOf(pty), work);
    const binary = join(work, "vectorflow-agent");
    const config = {
      main: await bundleAgent(work),
      output: binary,
      executable: await nodeExecutable(arch, work),
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      // The cache holds machine code of this machine's kind.
      useCodeCache: isHost(arch),
      execArgv: [...nodeFlags],
      execArgvExtension: "env",
      assets: { "pty.node": join(native, "pty.node") },
    };
    const configFile = join(work, "sea.json");
    await writeFile(configFile, JSON.stringify(config));
    // The cache is good for code that runs with the same flags only.
    await run(process.execPath, [...nodeFlags, "--build-sea", configFile]);
    const path = join(output, `vectorflow-agent-linux-${arch}`);
    // Over a file system's border a rename would fail, and a running binary cannot be written to.
    await copyFile(binary, `${path}.new`);
    await rename(`${path}.new`, path);
    return path;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { arch: { type: "string" }, help: { type: "boolean" } },
  });
  const arch = values.arch ?? process.arch;
  if (values.help === true || triples[arch] === undefined) {
    process.stdout.write(usage);
    return values.help === true ? 0 : 2;
  }
  const path = await buildBinary(arch);
  const compressed = await compress(path);
  for (const file of [path, compressed]) {
    const { size } = await stat(file);
    process.stdout.write(`${file.slice(root.length + 1)}  ${(size / 1e6).toFixed(1)} MB\n`);
  }
  return 0;
}

process.exitCode = await main();
