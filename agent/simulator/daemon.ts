import type { RootOptions } from "./cli.ts";
import type { LoadSettings } from "./config-load.ts";
import { configError, Controller } from "./controller.ts";
import { parseFaults } from "./faults.ts";
import { debug, type Log } from "./log.ts";
import { Registry } from "./metrics.ts";
import type { Topology, TopologyDeps } from "./topology.ts";
import { WorkerVrl } from "./vrl/engine.ts";

export interface DaemonDeps {
  readonly root: RootOptions;
  readonly log: Log;
  readonly env: LoadSettings["env"];
  readonly version: string;
  readonly versionLine: string;
}

const signals = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const;

type Happening =
  | { readonly kind: "signal"; readonly signal: (typeof signals)[number] }
  | { readonly kind: "crash" }
  | { readonly kind: "source_ended" };

/** What happens to the process, in order. Handled one by one: a stuck reload holds up the rest. */
class Mailbox {
  readonly #items: Happening[] = [];
  #waiter: PromiseWithResolvers<void> | undefined;

  put(item: Happening): void {
    this.#items.push(item);
    this.#waiter?.resolve();
  }

  async take(): Promise<Happening> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      this.#waiter = Promise.withResolvers();
      await this.#waiter.promise;
    }
  }
}

/** The life of the process: start, reload on SIGHUP, drain on SIGTERM. */
export class Daemon {
  readonly #deps: DaemonDeps;
  readonly #mailbox = new Mailbox();
  readonly #topologyDeps: TopologyDeps;
  readonly #controller: Controller;

  constructor(deps: DaemonDeps) {
    const { root, log, env, versionLine } = deps;
    this.#deps = deps;
    this.#topologyDeps = {
      log,
      registry: new Registry(),
      vrl: new WorkerVrl(),
      faults: parseFaults(env["VECTOR_SIM_FAULT"], ""),
      crashed: () => this.#mailbox.put({ kind: "crash" }),
      sourceEnded: () => this.#mailbox.put({ kind: "source_ended" }),
    };
    this.#controller = new Controller({
      root,
      log,
      env,
      versionLine,
      topology: this.#topologyDeps,
    });
  }

  /** Returns the exit code. */
  async run(): Promise<number> {
    const { log, version } = this.#deps;
    log.info("vector::app", "Log level is enabled.", { level: debug("info") });
    for (const signal of signals) {
      process.on(signal, () => {
        log.info("vector::signal", "Signal received.", { signal });
        this.#mailbox.put({ kind: "signal", signal });
      });
    }
    // A process without components has nothing else that keeps it; it waits for signals.
    setInterval(() => {}, 60_000);
    const topology = await this.#controller.start();
    if (topology === undefined) return configError;
    this.#startClock();
    const fields = { debug: "false", version, arch: "x86_64", revision: "vector-sim" };
    log.info("vector", "Vector has started.", fields);
    this.#topologyDeps.registry.counter("started_total", {})(1);
    this.#armCrash(topology);
    if ((await this.#controller.openApiAtStart(topology)) === "shut_down")
      this.#mailbox.put({ kind: "crash" });
    return this.#serve(topology);
  }

  async #serve(topology: Topology): Promise<number> {
    for (;;) {
      const happening = await this.#mailbox.take();
      if (happening.kind === "crash") return this.#stop(topology, false);
      if (happening.kind === "source_ended") {
        if (!topology.sourcesFinished) continue;
        this.#deps.log.info("vector::app", "All sources have finished.");
        return this.#stop(topology, true);
      }
      if (happening.signal === "SIGQUIT") return this.#quit();
      if (happening.signal !== "SIGHUP") return this.#stop(topology, true);
      const verdict = await this.#controller.reload(topology);
      if (verdict === "exit_config") return configError;
      if (verdict === "shut_down") return this.#stop(topology, false);
      this.#armCrash(topology);
      // A source may have ended while the reload had the loop.
      this.#mailbox.put({ kind: "source_ended" });
    }
  }

  #startClock(): void {
    const { registry } = this.#topologyDeps;
    const startedAt = Date.now();
    registry.gauge("uptime_seconds", {}, () => Math.floor((Date.now() - startedAt) / 1000));
    const tags = {
      debug: "false",
      version: this.#deps.version,
      rust_version: "1.95",
      arch: "x86_64",
      revision: "vector-sim",
    };
    registry.gauge("build_info", tags, () => 1);
  }

  #crashTimer: NodeJS.Timeout | undefined;

  /** The crash that the config asks for; counted from the last load. */
  #armCrash(topology: Topology): void {
    clearTimeout(this.#crashTimer);
    const { crashAfterMs } = this.#topologyDeps.faults;
    if (crashAfterMs !== undefined)
      this.#crashTimer = setTimeout(() => topology.crash(), crashAfterMs);
  }

  async #stop(topology: Topology, clean: boolean): Promise<number> {
    const { log, root } = this.#deps;
    const limitSecs = root.gracefulLimitSecs;
    log.info("vector", "Vector is stopping.");
    this.#controller.notServing();
    const deadline = limitSecs === undefined ? undefined : Date.now() + limitSecs * 1000;
    const report = (): void => {
      const left = deadline === undefined ? undefined : Math.floor((deadline - Date.now()) / 1000);
      log.info("vector::topology::running", "Shutting down... Waiting on running components.", {
        remaining_components: debug(topology.unfinished.join(", ")),
        time_remaining: debug(
          left === undefined ? "no time limit" : `${Math.max(0, left)} seconds left`,
        ),
      });
    };
    const timers = [setTimeout(report, 5), setInterval(report, 5000)];
    const killed = Promise.withResolvers<"killed">();
    if (limitSecs !== undefined)
      timers.push(setTimeout(killed.resolve, limitSecs * 1000, "killed"));
    const drained = async (): Promise<"drained"> => {
      await topology.stop();
      return "drained";
    };
    const outcome = await Promise.race([drained(), this.#nextSignal(), killed.promise]);
    for (const timer of timers) clearTimeout(timer);
    if (outcome === "quit") return this.#quit();
    if (outcome === "killed") {
      log.error(
        "vector::topology::running",
        "Failed to gracefully shut down in time. Killing components.",
        {
          components: debug(topology.unfinished.join(", ")),
          internal_log_rate_limit: false,
        },
      );
    }
    log.info("vector", "Vector has stopped.");
    if (clean && outcome === "drained")
      log.info("vector::app", "All components shut down gracefully.");
    return 0;
  }

  /** During shutdown any further signal means: now. */
  async #nextSignal(): Promise<"quit"> {
    while ((await this.#mailbox.take()).kind !== "signal");
    return "quit";
  }

  #quit(): number {
    this.#deps.log.info("vector", "Vector has quit.");
    return 0;
  }
}
