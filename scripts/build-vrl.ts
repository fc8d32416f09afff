import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

// `npm run build:vrl`: the VRL compiler as a WebAssembly module, from the crate in vrl/ into vrl/module/. The only
// command that needs Rust: rustup installs the version of vrl/rust-toolchain.toml by itself.

const root = join(import.meta.dirname, "..");
const crate = join(root, "vrl");
const output = join(crate, "module");
const targetFolder = process.env["CARGO_TARGET_DIR"] ?? join(crate, "target");
const wasmTarget = "wasm32-unknown-unknown";

interface Metadata {
  readonly packages: readonly {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly license: string | null;
    readonly repository: string | null;
    readonly manifest_path: string;
  }[];
}

async function cargo(args: readonly string[], rustFlags: readonly string[]): Promise<void> {
  const child = spawn("cargo", args, {
    cwd: crate,
    stdio: "inherit",
    env: {
      ...process.env,
      CARGO_TARGET_DIR: targetFolder,
      CARGO_ENCODED_RUSTFLAGS: rustFlags.join("\u001F"),
    },
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`cargo ${args[0]} failed`);
}

async function cargoText(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("cargo", args, {
    cwd: crate,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** Flags of the module's compilation. Paths of this machine are kept out, so that everyone gets the same bytes. */
function moduleFlags(): readonly string[] {
  const cargoHome = process.env["CARGO_HOME"] ?? join(homedir(), ".cargo");
  return [
    '--cfg=getrandom_backend="wasm_js"',
    // Deeply nested programs need more than the usual 1 MiB.
    "-Clink-arg=-zstack-size=4194304",
    `--remap-path-prefix=${cargoHome}=/cargo`,
    `--remap-path-prefix=${targetFolder}=/target`,
    `--remap-path-prefix=${crate}=/vrl`,
  ];
}

/** The licences of all that is linked into the module: each text once, under the packages that it belongs to. */
async function licences(): Promise<string> {
  const tree = await cargoText(
    "tree",
    "--target",
    wasmTarget,
    "--edges",
    "normal",
    "--prefix",
    "none",
    "--format",
    "{p}",
    "--locked",
    "--package",
    "vectorflow-vrl",
  );
  const linked = new Set(tree.split("\n").map((line) => line.split(" ").slice(0, 2).join(" ")));
  const metadata = JSON.parse(
    await cargoText("metadata", "--format-version", "1", "--locked"),
  ) as Metadata;
  const packages = metadata.packages
    .filter(({ name, version }) => linked.has(`${name} v${version}`) && name !== "vectorflow-vrl")
    .toSorted((a, b) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1,
    );
  const texts = new Map<string, { text: string; owners: string[] }>();
  for (const { name, version, manifest_path: manifest } of packages) {
    const folder = dirname(manifest);
    const files = (await readdir(folder)).filter((file) =>
      /^(licen[cs]e|copying|notice|copyright)/i.test(file),
    );
    for (const file of files.toSorted()) {
      const text = (await readFile(join(folder, file), "utf8").catch(() => "")).trim();
      const key = text.replaceAll(/\s+/g, " ");
      if (key === "") continue;
      const known = texts.get(key) ?? { text, owners: [] };
      known.owners.push(`${name} ${version}`);
      texts.set(key, known);
    }
  }
  const list = packages.map(
    ({ name, version, license, repository }) =>
      `${name} ${version}: ${license ?? "see its licence file"}${repository === null ? "" : `, ${repository}`}`,
  );
  const rule = "-".repeat(80);
  return [
    "vrl.wasm.br is built from the sources in this folder's parent and from these packages, unchanged, of crates.io.",
    "The source of each is at https://crates.io/crates/NAME/VERSION; that of vrl is under the Mozilla Public License 2.0.",
    "",
    ...list,
    "",
    ...[...texts.values()].map(
      ({ text, owners }) => `${rule}\n${owners.join(", ")}\n${rule}\n\n${text}\n`,
    ),
  ].join("\n");
}

const folder = await mkdtemp(join(tmpdir(), "vectorflow-vrl-"));
try {
  await cargo(
    ["build", "--locked", "--release", "--target", wasmTarget, "--package", "vectorflow-vrl"],
    moduleFlags(),
  );
  const module = join(targetFolder, wasmTarget, "release", "vectorflow_vrl.wasm");
  await cargo(["run", "--locked", "--package", "bindgen", "--", module, folder], []);
  const wasm = await readFile(join(folder, "vrl_bg.wasm"));
  const compressed = await promisify(brotliCompress)(wasm, {
    params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length },
  });
  await writeFile(join(output, "vrl.wasm.br"), compressed);
  await copyFile(join(folder, "vrl.js"), join(output, "vrl.js"));
  await copyFile(join(folder, "vrl.d.ts"), join(output, "vrl.d.ts"));
  await writeFile(join(output, "LICENSES.txt"), await licences());
  const sha256 = createHash("sha256").update(wasm).digest("hex");
  await writeFile(
    join(output, "manifest.json"),
    `${JSON.stringify({ vector: "0.58.0", vrl: "0.34.0", wasmBytes: wasm.length, sha256 }, undefined, 2)}\n`,
  );
  process.stdout.write(
    `vrl/module: ${wasm.length} bytes, ${compressed.length} compressed, ${sha256}\n`,
  );
} finally {
  await rm(folder, { recursive: true });
}
