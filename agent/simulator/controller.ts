import { type Piece, wantsHealthcheck } from "./build.ts";
import type { ConfigPath, RootOptions } from "./cli.ts";
import type { Component, Config, Loaded } from "./config.ts";
import { changedGlobals, type ConfigDiff, diffConfigs, flip } from "./config-diff.ts";
import { expandPaths, loadConfig, type LoadedConfig, type LoadSettings } from "./config-load.ts";
import { parseFaults } from "./faults.ts";
import { debug, type Log, raw } from "./log.ts";
import { Topology, type TopologyDeps } from "./topology.ts";

/** Vector's exit code for everything that is wrong with a config. */
export const configError = 78;

export interface ControllerDeps {
  readonly root: RootOptions;
  readonly log: Log;
  readonly env: LoadSettings["env"];
  readonly versionLine: string;
  readonly topology: TopologyDeps;
}

/** What a load, a start or a reload leads to: the process goes on, shuts down, or ends at once. */
export type Verdict = "goes_on" | "shut_down" | "exit_config";

interface Api {
  notServing(): void;
  close(): void;
}

const processEvents = "vector::internal_events::process";
const running = "vector::topology::running";
const builder = "vector::topology::builder";

/** Loads configs, builds and changes the topology, and says in Vector's lines how that went. */
export class Controller {
  readonly #deps: ControllerDeps;
  #api: Api | undefined;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
  }

  /** Loads and starts; undefined after the lines that say what is wrong. */
  async start(): Promise<Topology | undefined> {
    const { log } = this.#deps;
    const paths = this.#expand();
    if (paths === undefined) return undefined;
    log.info("vector::app", "Loading configs.", { paths: debug(paths.map(({ path }) => path)) });
    const loaded = await this.#load(paths);
    if (loaded.kind === "failed") {
      this.#configErrors(loaded.errors, "vector::cli");
      return undefined;
    }
    const { config } = loaded.value;
    if (this.#deps.topology.faults.exitAtStart) {
      this.#configErrors(["vector-sim was asked to exit at start"], builder);
      return undefined;
    }
    const topology = new Topology(config, this.#deps.topology);
    const pieces = await this.#build(topology, config.components, config);
    if (pieces === undefined) return undefined;
    topology.spawn(pieces);
    return topology;
  }

  /** The API of a process that has just started. */
  async openApiAtStart(topology: Topology): Promise<Verdict> {
    if (topology.config.api.enabled) return this.#openApi(topology);
    this.#deps.log.info(
      "vector::app",
      "API is disabled, enable by setting `api.enabled` to `true` and use commands like `vector top`.",
    );
    return "goes_on";
  }

  /** Tells the API's clients that the end has begun. */
  notServing(): void {
    this.#api?.notServing();
  }

  async reload(topology: Topology): Promise<Verdict> {
    const { log } = this.#deps;
    const paths = this.#expand();
    if (paths === undefined) return "exit_config";
    const loaded = await this.#load(paths);
    if (loaded.kind === "failed") {
      this.#configErrors(loaded.errors, "vector::cli");
      this.#processError("Failed to load config files, reload aborted.", {
        error_code: "config_load",
      });
      return "goes_on";
    }
    const { config } = loaded.value;
    if ((await this.#toggleApi(topology, config)) === "shut_down") return "shut_down";
    log.info(running, "Reloading running topology with new configuration.");
    const { faults, registry } = this.#deps.topology;
    // Stuck for good, as a real reload can be: whoever waits for it waits for ever.
    if (faults.hangOnReload) await new Promise(() => {});
    const globals = faults.reloadGlobalChanged
      ? ["data_dir"]
      : changedGlobals(topology.config, config);
    if (globals !== undefined) {
      log.error(
        "vector::topology::controller",
        "Config reload rejected due to non-reloadable global options.",
        {
          changed_fields: raw(globals.join(", ")),
          internal_log_rate_limit: false,
        },
      );
      this.#reloadError("global_options_changed");
      return "goes_on";
    }
    const diff = diffConfigs(topology.config.components, config.components, hasProgramFiles);
    await topology.shutdownDiff(diff);
    const pieces = faults.reloadBuildFails
      ? this.#configErrors(["vector-sim was asked to fail the build"], builder)
      : await this.#build(topology, diff.built, config);
    if (pieces === undefined) return this.#restore(topology, diff);
    topology.spawn(pieces);
    topology.config = config;
    log.info(running, "New configuration loaded successfully.");
    log.info("vector", "Vector has reloaded.", {
      path: raw(pathsText(paths)),
      internal_log_rate_limit: false,
    });
    registry.counter("reloaded_total", {})(1);
    topology.isStalled = faults.stallAfterReload;
    if (faults.crashOnReload) topology.crash();
    return "goes_on";
  }

  async #restore(topology: Topology, diff: ConfigDiff): Promise<Verdict> {
    const { log } = this.#deps;
    log.warn(running, "Failed to completely load new configuration. Restoring old configuration.");
    const back = flip(diff, topology.config.components);
    const pieces = this.#deps.topology.faults.restoreFails
      ? this.#configErrors(["vector-sim was asked to fail the restore"], builder)
      : await this.#build(topology, back.built, topology.config);
    if (pieces === undefined) {
      log.error(running, "Failed to restore old configuration.", {
        internal_log_rate_limit: false,
      });
      this.#reloadError("restore_failed");
      this.#processError("Vector has failed to recover from a failed reload.", {
        error_code: "recovery",
      });
      return "shut_down";
    }
    topology.spawn(pieces);
    log.info(running, "Old configuration restored successfully.");
    this.#reloadError("topology_build_failed");
    return "goes_on";
  }

  /** The paths as they are now; undefined when a pattern matches nothing. */
  #expand(): readonly ConfigPath[] | undefined {
    const expanded = expandPaths(this.#deps.root.configs);
    if ("paths" in expanded) return expanded.paths;
    this.#deps.log.error("vector::config::loading", "Config file not found in path.", {
      path: debug(expanded.missing),
      internal_log_rate_limit: false,
    });
    return undefined;
  }

  async #load(paths: readonly ConfigPath[]): Promise<Loaded<LoadedConfig>> {
    const { log, root, env, topology } = this.#deps;
    const { allowEmpty, interpolateEnv } = root;
    const loaded = await loadConfig(paths, { allowEmpty, interpolateEnv, env }, (message) =>
      log.warn("vector::secrets::exec", message),
    );
    if (loaded.kind === "ok") {
      topology.faults = parseFaults(env["VECTOR_SIM_FAULT"], loaded.value.config.text);
      for (const warning of loaded.value.warnings) log.warn("vector::config::loading", warning);
    }
    return loaded;
  }

  /** Builds components and looks at their health; undefined after the lines that say what failed. */
  async #build(
    topology: Topology,
    components: readonly Component[],
    config: Config,
  ): Promise<readonly Piece[] | undefined> {
    const { pieces, errors } = await topology.build(components, config.dataDir);
    if (errors.length > 0) {
      this.#configErrors(errors, builder);
      return undefined;
    }
    return (await this.#isHealthy(pieces, config)) ? pieces : undefined;
  }

  /** The checks run in the background unless health is required. */
  async #isHealthy(pieces: readonly Piece[], config: Config): Promise<boolean> {
    const { log, root } = this.#deps;
    if (!config.healthchecks.enabled) return true;
    log.info(running, "Running healthchecks.");
    const checks = pieces.map((piece) => this.#checkHealth(piece));
    if (!(root.requireHealthy ?? config.healthchecks.requireHealthy)) return true;
    const healthy = (await Promise.all(checks)).every(Boolean);
    if (healthy) log.info(running, "All healthchecks passed.");
    else log.error(running, "Sinks unhealthy.", { internal_log_rate_limit: false });
    return healthy;
  }

  async #checkHealth({ component, built, span }: Piece): Promise<boolean> {
    const { log } = this.#deps;
    if (built.kind !== "sink") return true;
    if (!wantsHealthcheck(component)) {
      log.info(builder, "Healthcheck disabled.");
      return true;
    }
    try {
      await built.healthcheck?.();
      log.info(builder, "Healthcheck passed.");
      return true;
    } catch (error) {
      // Vector has the text in `msg`, and no message.
      log.error(builder, "", {
        msg: "Healthcheck failed.",
        error: raw(error instanceof Error ? error.message : String(error)),
        component_kind: "sink",
        component_type: span.type,
        component_id: raw(span.id),
      });
      return false;
    }
  }

  #configErrors(errors: readonly string[], target: string): undefined {
    for (const error of errors) {
      this.#deps.log.error(target, "Configuration error.", {
        error: raw(error),
        internal_log_rate_limit: false,
      });
    }
  }

  #reloadError(reason: string): void {
    this.#processError("Reload was not successful.", { reason, error_code: "reload" });
  }

  #processError(message: string, codes: Readonly<Record<string, string>>): void {
    const tags = { ...codes, error_type: "configuration_failed", stage: "processing" };
    this.#deps.log.error(processEvents, message, { ...tags, internal_log_rate_limit: false });
    this.#deps.topology.registry.counter("component_errors_total", tags)(1);
  }

  async #toggleApi(topology: Topology, config: Config): Promise<Verdict> {
    if (config.api.enabled) return this.#api === undefined ? this.#openApi(topology) : "goes_on";
    this.#api?.close();
    this.#api = undefined;
    return "goes_on";
  }

  /** Opens the API on the address of the config that runs: also a reload's new address waits. */
  async #openApi(topology: Topology): Promise<Verdict> {
    const { log, versionLine } = this.#deps;
    const { registry } = this.#deps.topology;
    const { address } = topology.config.api;
    const { openApi } = await import("./api.ts");
    try {
      this.#api = await openApi(address, { topology, registry, log, versionLine });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const fields = { error: raw(message), internal_log_rate_limit: false };
      log.error("vector::app", "An error occurred that Vector couldn't handle.", fields);
      return "shut_down";
    }
    log.info("vector::internal_events::api", "API server running.", { address: raw(address) });
    registry.counter("api_started_total", {})(1);
    return "goes_on";
  }
}

/** Transforms with programs in files are rebuilt at each reload. */
function hasProgramFiles({ kind, type, options }: Component): boolean {
  return (
    kind === "transform" && type === "remap" && (options["file"] ?? options["files"]) !== undefined
  );
}

/** The paths in Rust's Debug form, as the verdict line has them. */
function pathsText(paths: readonly ConfigPath[]): string {
  const formats = { yaml: "Some(Yaml)", json: "Some(Json)", toml: "Some(Toml)" } as const;
  const shown = paths.map(({ path, format }) => {
    return `File(${JSON.stringify(path)}, ${format === undefined ? "None" : formats[format]})`;
  });
  return `[${shown.join(", ")}]`;
}
