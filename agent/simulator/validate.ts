import { setTimeout as delay } from "node:timers/promises";
import { mkdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ValidateOptions } from "./cli.ts";
import { BuildError } from "./component.ts";
import { conditionSource } from "./components/filter.ts";
import { programOf } from "./components/remap.ts";
import { routesOf } from "./components/route.ts";
import { at, type Component, type Config } from "./config.ts";
import { expandPaths, loadConfig, type LoadSettings } from "./config-load.ts";
import { configError } from "./controller.ts";
import { parseFaults } from "./faults.ts";
import { debug, debugText, type Log } from "./log.ts";
import { Registry } from "./metrics.ts";
import { buildPieces, checkDataDir, wantsHealthcheck } from "./build.ts";
import { type Vrl, WorkerVrl } from "./vrl/engine.ts";

/** The report on stdout. */
class Report {
  #width = 0;
  #gap = false;

  success(message: string): void {
    this.#print(`√ ${message}\n`);
  }
  warning(message: string): void {
    this.#print(`~ ${message}\n`);
  }
  error(message: string): void {
    this.#print(`x ${message}\n`);
  }
  section(title: string, mark: "x" | "~", messages: readonly string[]): void {
    this.#space();
    this.#print(`${title}\n${"-".repeat(Buffer.byteLength(title))}\n`);
    for (const message of messages) this.#print(`${mark} ${message}\n`);
    this.#space();
  }
  validated(): void {
    writeSync(1, `${"-".repeat(this.#width)}\n${"Validated".padStart(this.#width)}\n`);
  }
  #space(): void {
    if (this.#gap) writeSync(1, "\n");
    this.#gap = false;
  }
  #print(text: string): void {
    this.#width = Math.max(this.#width, ...text.split("\n").map((line) => Array.from(line).length));
    this.#gap = true;
    writeSync(1, text);
  }
}

/** `vector validate`: prints the report, returns the exit code. Secrets are not resolved here. */
export async function validate(
  options: ValidateOptions,
  settings: LoadSettings,
  log: Log,
): Promise<number> {
  const report = new Report();
  const expanded = expandPaths(options.configs);
  if ("missing" in expanded) {
    log.error("vector::config::loading", "Config file not found in path.", {
      path: debug(expanded.missing),
      internal_log_rate_limit: false,
    });
    return configError;
  }
  const names = debugText(expanded.paths.map(({ path }) => path));
  const loaded = await loadConfig(expanded.paths, settings);
  if (loaded.kind === "failed") {
    report.section(`Failed to load ${names}`, "x", loaded.errors);
    return configError;
  }
  const { config, warnings } = loaded.value;
  await delay(parseFaults(settings.env["VECTOR_SIM_FAULT"], config.text).slowValidateMs);
  if (warnings.length > 0 && options.denyWarnings) {
    report.section(`Failed to load ${names}`, "x", warnings);
    return configError;
  }
  if (warnings.length > 0) report.section(`Loaded with warnings ${names}`, "~", warnings);
  else report.success(`Loaded ${names}`);
  const vrl = new WorkerVrl();
  const transforms = await checkTransforms(config, vrl, report);
  const environment =
    options.noEnvironment || (await checkEnvironment(config, vrl, log, options, report));
  if (!transforms || !environment) return configError;
  report.validated();
  return 0;
}

async function checkTransforms(config: Config, vrl: Vrl, report: Report): Promise<boolean> {
  const errors: string[] = [];
  for (const component of config.components.filter(({ kind }) => kind === "transform")) {
    errors.push(
      ...(await transformErrors(component, vrl)).map(
        (error) => `Transform "${component.id}": ${error}`,
      ),
    );
  }
  if (errors.length === 0) report.success("Transforms configuration");
  else report.section("Transform errors", "x", errors);
  return errors.length === 0;
}

/** The errors in the programs and conditions of a transform, of a type that vector-sim runs or not. */
async function transformErrors({ type, options }: Component, vrl: Vrl): Promise<readonly string[]> {
  try {
    if (type === "remap")
      return [await vrl.checkProgram(programOf(options))].filter((error) => error !== undefined);
    if (type === "route") {
      const checked = await Promise.all(
        routesOf(options).map(async ([name, source]) => ({
          name,
          error: await vrl.checkCondition(source),
        })),
      );
      return checked.flatMap(({ name, error }) =>
        error === undefined ? [] : [`route "${name}": ${error}`],
      );
    }
    const condition = at(options, "condition");
    if (condition === undefined) return [];
    return [await vrl.checkCondition(conditionSource(condition))].filter(
      (error) => error !== undefined,
    );
  } catch (error) {
    // Conditions of other types than VRL are not looked into.
    if (error instanceof BuildError) return type === "remap" ? [error.message] : [];
    throw error;
  }
}

async function checkEnvironment(
  config: Config,
  vrl: Vrl,
  log: Log,
  options: ValidateOptions,
  report: Report,
): Promise<boolean> {
  const missing = checkDataDir(config.dataDir);
  if (missing !== undefined) {
    report.error(missing);
    return false;
  }
  const scratch = join(config.dataDir, "validate_tmp");
  mkdirSync(scratch, { recursive: true });
  try {
    const deps = { log, registry: new Registry(), vrl, faults: parseFaults(undefined, "") };
    const { pieces, errors } = await buildPieces(config.components, scratch, deps);
    if (errors.length > 0) {
      report.section("Component errors", "x", errors);
      return false;
    }
    report.success("Component configuration");
    if (options.skipHealthchecks) return true;
    if (!config.healthchecks.enabled) {
      report.warning("Health checks are disabled");
      return !options.denyWarnings;
    }
    let healthy = true;
    for (const { component, built } of pieces) {
      if (built.kind !== "sink") continue;
      if (!wantsHealthcheck(component)) {
        report.warning(`Health check disabled for "${component.id}"`);
        healthy &&= !options.denyWarnings;
        continue;
      }
      try {
        await built.healthcheck?.();
        report.success(`Health check "${component.id}"`);
      } catch (error) {
        report.error(
          `Health check for "${component.id}" failed: ${error instanceof Error ? error.message : String(error)}`,
        );
        healthy = false;
      }
    }
    return healthy;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
