import { existsSync, globSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { extname } from "node:path";
import { parseDocument } from "yaml";
import { catalogue, componentFacts, type Kind, kinds } from "./catalogue.ts";
import type { ConfigPath } from "./cli.ts";
import {
  bool,
  type Config,
  failed,
  isRecord,
  type Loaded,
  ok,
  type Options,
  text,
} from "./config.ts";
import { compile, type Draft } from "./config-check.ts";
import { checkAddress, checkOptions, describe, isSocketAddress } from "./option-check.ts";
import { retrieveSecrets, type Secrets, substitute } from "./secrets.ts";

export interface LoadSettings {
  readonly allowEmpty: boolean;
  readonly interpolateEnv: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
}

/** Expands the globs; undefined names the first pattern that matches nothing. */
export function expandPaths(
  paths: readonly ConfigPath[],
): { paths: readonly ConfigPath[] } | { missing: string } {
  const wanted =
    paths.length > 0 ? paths : [{ path: "/etc/vector/vector.yaml", format: "yaml" as const }];
  const found: ConfigPath[] = [];
  for (const { path, format } of wanted) {
    const matches = /[*?[]/.test(path)
      ? globSync(path)
      : [path].filter((candidate) => existsSync(candidate));
    if (matches.length === 0) return { missing: path };
    found.push(...matches.map((match) => ({ path: match, format })));
  }
  const unique = new Map(found.map((entry) => [`${entry.path}\n${entry.format ?? ""}`, entry]));
  return { paths: [...unique.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

interface ConfigFile {
  readonly format: "yaml" | "json" | "toml";
  readonly text: string;
}

/** Reads, checks and compiles the files; secrets are resolved only when `retrieve` says so. */
export async function loadConfig(
  paths: readonly ConfigPath[],
  settings: LoadSettings,
  secretWarning?: (message: string) => void,
): Promise<Loaded<LoadedConfig>> {
  const files: ConfigFile[] = [];
  for (const path of paths) {
    const read = readConfigFile(path, settings);
    if (read.kind === "failed") return read;
    files.push(read.value);
  }
  let secrets: Secrets | undefined;
  if (secretWarning !== undefined) {
    const first = parseFiles(files);
    if (first.kind === "failed") return first;
    const backends = Object.assign(
      {},
      ...first.value.map((tree) => tree["secret"] ?? {}),
    ) as Options;
    const retrieved = await retrieveSecrets(
      files.map((file) => file.text).join("\n"),
      backends,
      secretWarning,
    );
    if (retrieved.kind === "failed") return retrieved;
    secrets = retrieved.value;
  }
  const texts: ConfigFile[] = [];
  for (const file of files) {
    const pasted = secrets === undefined ? ok(file.text) : substitute(file.text, secrets);
    if (pasted.kind === "failed") return pasted;
    texts.push({ ...file, text: pasted.value });
  }
  const trees = parseFiles(texts);
  if (trees.kind === "failed") return trees;
  return build(trees.value, settings.allowEmpty, files.map((file) => file.text).join("\n"));
}

function readConfigFile({ path, format }: ConfigPath, settings: LoadSettings): Loaded<ConfigFile> {
  const byExtension = { ".yaml": "yaml", ".yml": "yaml", ".json": "json" } as const;
  let read: string;
  try {
    read = readFileSync(path, "utf8");
  } catch {
    return failed(`Could not open config file: ${JSON.stringify(path)}`);
  }
  const whole = settings.interpolateEnv ? interpolate(read, settings.env) : ok(read);
  if (whole.kind === "failed") return whole;
  const known = byExtension[extname(path) as keyof typeof byExtension];
  return ok({ format: format ?? known ?? "toml", text: whole.value });
}

/** `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$$` is a dollar. */
export function interpolate(input: string, env: LoadSettings["env"]): Loaded<string> {
  const errors: string[] = [];
  const value = input.replaceAll(
    /\$\$|\$([A-Za-z_]\w*)|\$\{([\w.]+)(?:(:?[-?])([^}]*))?\}/g,
    (whole, bare?: string, braced?: string, operator?: string, operand = "") => {
      if (whole === "$$") return "$";
      const name = bare ?? braced ?? "";
      const found = env[name] ?? (name === "HOSTNAME" ? hostname() : undefined);
      const isSet = found !== undefined && (found !== "" || operator?.startsWith(":") !== true);
      if (isSet) return found;
      if (operator?.endsWith("-") === true) return operand;
      errors.push(
        operator === undefined
          ? `Missing environment variable in config. name = ${JSON.stringify(name)}`
          : `Missing environment variable required in config. name = ${JSON.stringify(name)}, error = ${JSON.stringify(operand)}`,
      );
      return "";
    },
  );
  return errors.length > 0 ? failed(...errors) : ok(value);
}

type Tree = Readonly<Record<string, unknown>>;

function parseFiles(files: readonly ConfigFile[]): Loaded<readonly Tree[]> {
  const results = files.map(parseTree);
  const errors = results.flatMap((result) => (result.kind === "failed" ? result.errors : []));
  if (errors.length > 0) return failed(...errors);
  return ok(results.flatMap((result) => (result.kind === "ok" ? [result.value] : [])));
}

function parseTree({ format, text }: ConfigFile): Loaded<Tree> {
  let value: unknown;
  if (format === "toml") {
    return failed(
      "vector-sim does not read TOML: name the file .yaml or .json, or use --config-yaml",
    );
  }
  if (format === "json") {
    try {
      value = JSON.parse(text);
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    }
  } else {
    const document = parseDocument(text, { merge: true, logLevel: "silent" });
    const [problem] = document.errors;
    if (problem !== undefined) return failed(problem.message.split("\n")[0] ?? "invalid YAML");
    value = document.toJS() ?? {};
  }
  return isRecord(value) ? ok(value) : failed(`invalid type: ${describe(value)}, expected a map`);
}

const sections = { source: "sources", transform: "transforms", sink: "sinks" } as const;
const known = [
  "sources",
  "transforms",
  "sinks",
  "enrichment_tables",
  "secret",
  "tests",
  "api",
  "schema",
  "healthchecks",
  "provider",
];

function build(trees: readonly Tree[], allowEmpty: boolean, raw: string): Loaded<LoadedConfig> {
  const drafts: Draft[] = [];
  const globals: Record<string, unknown> = {};
  const others: Record<string, Options> = {};
  for (const tree of trees) {
    const problem = topLevelProblem(tree);
    if (problem !== undefined) return failed(problem);
    for (const kind of kinds) {
      const section = tree[sections[kind]] ?? {};
      if (!isRecord(section))
        return failed(`${sections[kind]}: invalid type: ${describe(section)}, expected a map`);
      for (const [id, body] of Object.entries(section)) {
        const draft = readComponent(kind, id, body);
        if (draft.kind === "failed") return draft;
        if (drafts.some((other) => other.kind === kind && other.id === id)) {
          return failed(`duplicate ${kind} id found: ${id}`);
        }
        drafts.push(draft.value);
      }
    }
    for (const [key, value] of Object.entries(tree)) {
      if (isRecord(value) && known.includes(key)) others[key] = { ...others[key], ...value };
      else if (!known.includes(key)) globals[key] = value;
    }
  }
  const compiled = compile(drafts, allowEmpty, globals["wildcard_matching"] === "relaxed");
  if (compiled.errors.length > 0) return failed(...compiled.errors);
  const api = others["api"] ?? {};
  const health = others["healthchecks"] ?? {};
  return ok({
    config: {
      components: compiled.components,
      globals,
      dataDir: text(globals, "data_dir") ?? "/var/lib/vector/",
      api: {
        enabled: bool(api, "enabled", false),
        address: text(api, "address") ?? "127.0.0.1:8686",
      },
      healthchecks: {
        enabled: bool(health, "enabled", true),
        requireHealthy: bool(health, "require_healthy", false),
      },
      text: raw,
    },
    warnings: compiled.warnings,
  });
}

function topLevelProblem(tree: Tree): string | undefined {
  const facts = catalogue().global_options;
  const names = new Set([...known, ...facts.map(({ path }) => path.split(".")[0] ?? "")]);
  const unknown = Object.keys(tree).find((key) => !names.has(key));
  if (unknown !== undefined) return `unknown field \`${unknown}\``;
  const dataDir = tree["data_dir"];
  if (dataDir !== undefined && typeof dataDir !== "string")
    return `invalid type: ${describe(dataDir)}, expected path string`;
  const api = tree["api"];
  if (isRecord(api)) {
    const field = Object.keys(api).find((key) => key !== "enabled" && key !== "address");
    if (field !== undefined)
      return `api.${field}: unknown field \`${field}\`, expected \`enabled\` or \`address\``;
    const { enabled, address } = api;
    if (enabled !== undefined && typeof enabled !== "boolean")
      return `api.enabled: invalid type: ${describe(enabled)}, expected a boolean`;
    if (typeof address === "string" && !isSocketAddress(address))
      return "api.address: invalid socket address syntax";
  }
  return undefined;
}

/** Reads one component: its type, inputs, the options common to its kind, and its own. */
function readComponent(kind: Kind, id: string, body: unknown): Loaded<Draft> {
  const where = `${sections[kind]}.${id}`;
  if (!isRecord(body)) return failed(`${where}: invalid type: ${describe(body)}, expected a map`);
  const { type, inputs, ...options } = body;
  if (kind !== "source") {
    if (inputs === undefined) return failed(`${where}: missing field \`inputs\``);
    if (!Array.isArray(inputs))
      return failed(`${where}.inputs: invalid type: ${describe(inputs)}, expected a sequence`);
    const odd = inputs.find((input) => typeof input !== "string");
    if (odd !== undefined)
      return failed(`${where}.inputs: invalid type: ${describe(odd)}, expected a string`);
  }
  if (type === undefined) return failed(`${where}: missing field \`type\``);
  if (typeof type !== "string")
    return failed(`${where}: invalid type: ${describe(type)}, expected a string`);
  const facts = componentFacts(kind, type);
  if (facts === undefined) {
    const names = catalogue()
      .components.filter((other) => other.kind === kind)
      .map((other) => `\`${other.type}\``);
    return failed(`${where}: unknown variant \`${type}\`, expected one of ${names.join(", ")}`);
  }
  const common = catalogue().common_options[kind];
  const commonNames = new Set(common.map(({ path }) => path.split(".")[0]));
  const { own, shared } = Object.groupBy(Object.entries(options), ([name]) =>
    commonNames.has(name) ? "shared" : "own",
  );
  const extra = Object.fromEntries(own ?? []);
  const problem =
    checkOptions({ inputs, ...Object.fromEntries(shared ?? []) }, common, false) ??
    checkOptions(
      kind === "source" && inputs !== undefined ? { inputs, ...extra } : extra,
      facts.options,
      facts.strict,
    ) ??
    checkAddress(kind, type, options["address"]);
  if (problem !== undefined) return failed(`${where}: ${problem}`);
  return ok({ id, kind, type, inputs: (inputs as readonly string[] | undefined) ?? [], options });
}
