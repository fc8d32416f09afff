import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { describe, test } from "vitest";
import {
  eventually,
  freePort,
  post,
  RunningVector,
  runToEnd,
  scrape,
  subjects,
  sumOf,
  Workspace,
} from "./contract-harness.ts";

const demo = (more = ""): string => `
sources: {in: {type: demo_logs, format: json, interval: 0.05}}
sinks: {out: {type: blackhole, inputs: [in]}${more}}`;

const withMetrics = (port: number, httpPort: number, outOptions = ""): string => `
sources:
  in: {type: http_server, address: "127.0.0.1:${httpPort}"}
  m: {type: internal_metrics, scrape_interval_secs: 0.1}
sinks:
  out: {type: blackhole, inputs: [in]${outOptions}}
  p: {type: prometheus_exporter, inputs: [m], address: "127.0.0.1:${port}", flush_period_secs: 60}`;

describe.concurrent.each(subjects)("the life of $name", (subject) => {
  test("says how it starts", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo());
    await vector.log("API is disabled");
    // A health check ends when it ends: its line has no fixed place.
    const lines = vector.logLines
      .filter(({ message }) => message !== "Healthcheck passed.")
      .map(({ target, message }) => `${target} ${message}`);
    expect(lines).toEqual([
      "vector::app Log level is enabled.",
      "vector::app Loading configs.",
      "vector::topology::running Running healthchecks.",
      "vector Vector has started.",
      "vector::app API is disabled, enable by setting `api.enabled` to `true` and use commands like `vector top`.",
    ]);
    expect(vector.stdout[0]).toMatch(
      /^\{"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","level":"INFO","message":"Log level is enabled\.","level":"\\"info\\"","target":"vector::app"\}$/,
    );
    expect(vector.logLines[1]?.["paths"]).toBe(`[${JSON.stringify(vector.workspace.configPath)}]`);
    expect(vector.stderr).toEqual([]);
  });

  test("drains and ends with 0 on SIGTERM", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo());
    expect(await vector.stop()).toEqual({ code: 0, signal: null });
    const messages = vector.logLines.map(({ message }) => message);
    expect(messages.slice(messages.indexOf("Signal received."))).toEqual(
      expect.arrayContaining([
        "Vector is stopping.",
        "Vector has stopped.",
        "All components shut down gracefully.",
      ]),
    );
  });

  test("quits at once on SIGQUIT", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo());
    vector.signal("SIGQUIT");
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    expect(vector.logLines.at(-1)?.message).toBe("Vector has quit.");
  });

  test("ends with 0 when all sources have finished", async ({ expect }) => {
    await using vector = await RunningVector.start(
      subject,
      `
sources: {in: {type: demo_logs, format: shuffle, sequence: true, lines: [x], interval: 0, count: 3}}
sinks: {out: {type: console, inputs: [in], encoding: {codec: text}}}`,
    );
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    expect(vector.output).toEqual(["0 x", "1 x", "2 x"]);
    expect(
      vector.logLines.some(
        ({ target, message }) =>
          target === "vector::app" && message === "All sources have finished.",
      ),
    ).toBe(true);
  });

  test("is killed by its shutdown limit, with 0", async ({ expect }) => {
    const peer = createServer(() => {}).listen(0, "127.0.0.1");
    await once(peer, "listening");
    const address = peer.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const requested = once(peer, "request");
    await using vector = await RunningVector.start(
      subject,
      `
sources: {in: {type: demo_logs, format: json, interval: 0.01}}
sinks: {out: {type: http, inputs: [in], uri: "http://127.0.0.1:${port}", encoding: {codec: json}, batch: {timeout_secs: 0.05}}}`,
      { args: ["--graceful-shutdown-limit-secs", "1"] },
    );
    await requested;
    expect(await vector.stop()).toEqual({ code: 0, signal: null });
    const killed = await vector.log("Failed to gracefully shut down in time. Killing components.");
    expect(killed).toMatchObject({
      level: "ERROR",
      components: expect.stringContaining("out") as unknown,
    });
    expect(vector.logLines.at(-1)?.message).toBe("Vector has stopped.");
    peer.close();
    peer.closeAllConnections();
  });

  test("quits on a second signal while it drains", async ({ expect }) => {
    const peer = createServer(() => {}).listen(0, "127.0.0.1");
    await once(peer, "listening");
    const address = peer.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const requested = once(peer, "request");
    await using vector = await RunningVector.start(
      subject,
      `
sources: {in: {type: demo_logs, format: json, interval: 0.01}}
sinks: {out: {type: http, inputs: [in], uri: "http://127.0.0.1:${port}", encoding: {codec: json}, batch: {timeout_secs: 0.05}}}`,
    );
    await requested;
    vector.signal("SIGTERM");
    await vector.log("Vector is stopping.");
    vector.signal("SIGINT");
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    expect(vector.logLines.at(-1)?.message).toBe("Vector has quit.");
    peer.close();
    peer.closeAllConnections();
  });

  test("does not start with a bad config", async ({ expect }) => {
    await using vector = new RunningVector(
      subject,
      "sources: {in: {type: demo_logs, format: json}}\nsinks: {out: {type: blackhole, inputs: [zz]}}",
    );
    expect(await vector.exit).toEqual({ code: 78, signal: null });
    expect(vector.logLines.at(-1)).toMatchObject({
      level: "ERROR",
      target: "vector::cli",
      message: "Configuration error.",
      error: 'Input "zz" for sink "out" doesn\'t match any components.',
      internal_log_rate_limit: false,
    });
  });

  test("does not start with a program that does not compile", async ({ expect }) => {
    await using vector = new RunningVector(
      subject,
      `
sources: {in: {type: demo_logs, format: json}}
transforms: {t: {type: remap, inputs: [in], source: ".x ="}}
sinks: {out: {type: blackhole, inputs: [t]}}`,
    );
    expect(await vector.exit).toEqual({ code: 78, signal: null });
    const last = vector.logLines.at(-1);
    expect(last).toMatchObject({
      level: "ERROR",
      target: "vector::topology::builder",
      message: "Configuration error.",
    });
    expect(last?.["error"]).toMatch(/^Transform "t": \nerror\[E\d+\]: syntax error\n/);
  });

  test("wants the data_dir of a source that keeps state", async ({ expect }) => {
    using workspace = new Workspace();
    workspace.write(
      'sources: {in: {type: file, include: ["/nowhere/*"]}}\nsinks: {out: {type: blackhole, inputs: [in]}}',
    );
    rmSync(workspace.dataDir, { recursive: true });
    const { code, stdout } = await runToEnd(subject, [
      "--log-format",
      "json",
      "-c",
      workspace.configPath,
    ]);
    expect(code).toBe(78);
    expect(stdout).toContain(
      `"error":"Source \\"in\\": data_dir \\"${workspace.dataDir}\\" does not exist"`,
    );
  });

  test("starts without components when told to, and takes them by a reload", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, "", { args: ["--allow-empty-config"] });
    await vector.reload(demo(), "Vector has reloaded.");
    expect(await vector.stop()).toEqual({ code: 0, signal: null });
  });

  test("a taken port kills it after the start, with 0", async ({ expect }) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using vector = new RunningVector(
      subject,
      `
sources: {in: {type: http_server, address: "127.0.0.1:${port}"}}
sinks: {out: {type: blackhole, inputs: [in]}}`,
    );
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    const messages = vector.logLines.map(({ message }) => message);
    expect(messages).toEqual(
      expect.arrayContaining([
        "Vector has started.",
        "An error occurred that Vector couldn't handle: the task completed with an error.",
        "Vector is stopping.",
        "Vector has stopped.",
      ]),
    );
    taken.close();
  });
});

describe.concurrent.each(subjects)("the reload of $name", (subject) => {
  const verdicts = new Set([
    "Vector has reloaded.",
    "Reload was not successful.",
    "Failed to load config files, reload aborted.",
  ]);

  test("applies a new config", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo());
    const lines = await vector.reload(
      demo(", two: {type: blackhole, inputs: [in]}"),
      "Vector has reloaded.",
    );
    const messages = lines.map(({ message }) => message);
    expect(messages).toEqual(
      expect.arrayContaining([
        "Reloading running topology with new configuration.",
        "New configuration loaded successfully.",
      ]),
    );
    expect(lines.find(({ message }) => message === "Vector has reloaded.")).toMatchObject({
      level: "INFO",
      target: "vector",
      path: `[File(${JSON.stringify(vector.workspace.configPath)}, Some(Yaml))]`,
      internal_log_rate_limit: false,
    });
  });

  test("confirms a config that is the same", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo());
    const lines = await vector.reload(undefined, "Vector has reloaded.");
    expect(lines.filter(({ message }) => verdicts.has(message ?? ""))).toHaveLength(1);
  });

  test("keeps the old config when the new one cannot be loaded", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo());
    const lines = await vector.reload("sources: [", "Failed to load config files, reload aborted.");
    const errors = lines.filter(({ level }) => level === "ERROR");
    expect(errors).toMatchObject([
      { target: "vector::cli", message: "Configuration error.", internal_log_rate_limit: false },
      {
        target: "vector::internal_events::process",
        error_code: "config_load",
        error_type: "configuration_failed",
        stage: "processing",
        internal_log_rate_limit: false,
      },
    ]);
    expect(await vector.stop()).toEqual({ code: 0, signal: null });
  });

  test("rejects a changed global option", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, `timezone: local\n${demo()}`);
    const lines = await vector.reload(`timezone: UTC\n${demo()}`, "Reload was not successful.");
    expect(lines.filter(({ level }) => level === "ERROR")).toMatchObject([
      {
        target: "vector::topology::controller",
        message: "Config reload rejected due to non-reloadable global options.",
        changed_fields: "timezone",
      },
      {
        target: "vector::internal_events::process",
        reason: "global_options_changed",
        error_code: "reload",
      },
    ]);
  });

  test("goes back to the old config when the new one cannot be built", async ({ expect }) => {
    const [port, httpPort] = [await freePort(), await freePort()];
    const config = withMetrics(port, httpPort);
    await using vector = await RunningVector.start(subject, config);
    const broken = config
      .replace("inputs: [in]}", "inputs: [t]}")
      .replace("sinks:", "transforms: {t: {type: remap, inputs: [in], source: '.x ='}}\nsinks:");
    const lines = await vector.reload(broken, "Reload was not successful.");
    expect(lines.find(({ message }) => message === "Configuration error.")?.target).toBe(
      "vector::topology::builder",
    );
    const messages = lines.map(({ message }) => message);
    expect(messages).toEqual(
      expect.arrayContaining([
        "Failed to completely load new configuration. Restoring old configuration.",
        "Old configuration restored successfully.",
      ]),
    );
    expect(lines.find(({ message }) => message === "Reload was not successful.")).toMatchObject({
      reason: "topology_build_failed",
    });
    // What follows is not the same everywhere: a real Vector's source can panic after the restore.
  });

  test("a config file that vanished ends it with 78", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo());
    rmSync(vector.workspace.configPath);
    vector.signal("SIGHUP");
    expect(await vector.exit).toEqual({ code: 78, signal: null });
    expect(vector.logLines.at(-1)).toMatchObject({
      level: "ERROR",
      message: "Config file not found in path.",
    });
  });

  test("leaves unchanged components their sockets and counters", async () => {
    const [port, httpPort] = [await freePort(), await freePort()];
    await using vector = await RunningVector.start(subject, withMetrics(port, httpPort));
    const sent = (count: number) =>
      eventually(async () => {
        const samples = await scrape(port);
        const got = ["in", "out"].map((component_id) =>
          sumOf(samples, "vector_component_sent_events_total", { component_id }),
        );
        return got.every((value) => value === count) || undefined;
      }, `${count} events sent`);
    await eventually(() => post(httpPort, "a\nb\nc"), "the source");
    await sent(3);
    await vector.reload(
      withMetrics(port, httpPort, ", print_interval_secs: 9"),
      "Vector has reloaded.",
    );
    await post(httpPort, "d\ne");
    await sent(5);
  });

  test("a port that a new source finds taken kills it after the verdict, with 0", async ({
    expect,
  }) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using vector = await RunningVector.start(subject, demo());
    const more = `
sources:
  in: {type: demo_logs, format: json, interval: 0.05}
  web: {type: http_server, address: "127.0.0.1:${port}"}
sinks: {out: {type: blackhole, inputs: [in, web]}}`;
    await vector.reload(more, "Vector has reloaded.");
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    await vector.log(
      "An error occurred that Vector couldn't handle: the task completed with an error.",
    );
    taken.close();
  });

  test("gets stuck on a changed sink that cannot deliver, and then ignores SIGTERM", async ({
    expect,
  }) => {
    const peer = createServer(() => {}).listen(0, "127.0.0.1");
    await once(peer, "listening");
    const address = peer.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const requested = once(peer, "request");
    const config = (path: string): string => `
sources: {in: {type: demo_logs, format: json, interval: 0.01}}
sinks: {out: {type: http, inputs: [in], uri: "http://127.0.0.1:${port}/${path}", encoding: {codec: json}, batch: {timeout_secs: 0.05}}}`;
    await using vector = await RunningVector.start(subject, config("a"));
    await requested;
    vector.workspace.write(config("b"));
    vector.signal("SIGHUP");
    await vector.log("Reloading running topology with new configuration.");
    vector.signal("SIGTERM");
    await eventually(
      () =>
        vector.logLines.filter(({ message }) => message?.includes("Signal received.")).length ===
          2 || undefined,
      "the second signal",
    );
    expect(vector.child.exitCode).toBe(null);
    expect(
      vector.logLines.some(
        ({ message }) => message === "Vector is stopping." || verdicts.has(message ?? ""),
      ),
    ).toBe(false);
    vector.signal("SIGKILL");
    expect(await vector.exit).toEqual({ code: null, signal: "SIGKILL" });
    peer.close();
    peer.closeAllConnections();
  });
});
