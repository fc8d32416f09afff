import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "vitest";
import {
  eventually,
  freePort,
  post,
  RunningVector,
  runToEnd,
  simulator,
  Workspace,
} from "./contract-harness.ts";

const demo = (fault: string, more = ""): string => `
# vector-sim: ${fault}
sources: {in: {type: demo_logs, format: json, interval: 0.05}}
sinks: {out: {type: blackhole, inputs: [in]${more}}}`;

/** Faults are vector-sim's own: a real Vector has them only when something is wrong with it. */
describe.concurrent.each(simulator)("a fault of $name", (subject) => {
  const said = (vector: RunningVector, message: string): number =>
    vector.logLines.filter((line) => line.message?.includes(message)).length;

  test("exit-at-start ends the start with 78, and not validate", async ({ expect }) => {
    await using vector = new RunningVector(subject, demo("exit-at-start"));
    expect(await vector.exit).toEqual({ code: 78, signal: null });
    expect(vector.logLines.some(({ level }) => level === "ERROR")).toBe(true);
    expect(said(vector, "Vector has started.")).toBe(0);
    const args = ["validate", "--no-environment", "--config-yaml", vector.workspace.configPath];
    expect(await runToEnd(subject, args)).toMatchObject({ code: 0 });
  });

  test("comes from the environment too", async ({ expect }) => {
    const env = { VECTOR_SIM_FAULT: "exit-at-start" };
    await using vector = new RunningVector(subject, demo("none"), { env });
    expect(await vector.exit).toEqual({ code: 78, signal: null });
  });

  test("crash-after ends a process that had started, with 0", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo("crash-after=0.2"));
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    await vector.log("An error occurred that Vector couldn't handle");
  });

  test("crash-after that a reload brings counts from the reload", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo("none"));
    await vector.reload(demo("crash-after=0.2"), "Vector has reloaded.");
    expect(await vector.exit).toEqual({ code: 0, signal: null });
  });

  test("crash-on-reload lets the verdict be good, and then a component dies", async ({
    expect,
  }) => {
    await using vector = await RunningVector.start(subject, demo("crash-on-reload"));
    await vector.reload(
      demo("crash-on-reload", ", print_interval_secs: 9"),
      "Vector has reloaded.",
    );
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    await vector.log("An error occurred that Vector couldn't handle");
  });

  test("hang-on-reload gives no verdict, and SIGTERM is logged and not acted on", async ({
    expect,
  }) => {
    await using vector = await RunningVector.start(subject, demo("none"));
    await vector.reload(demo("hang-on-reload"), "Reloading running topology");
    vector.signal("SIGTERM");
    await eventually(
      () => (said(vector, "Signal received.") === 2 ? true : undefined),
      "the signal",
    );
    expect(vector.child.exitCode).toBe(null);
    expect(said(vector, "Vector is stopping.") + said(vector, "Vector has reloaded.")).toBe(0);
    vector.signal("SIGKILL");
    expect(await vector.exit).toEqual({ code: null, signal: "SIGKILL" });
  });

  test("reload-global-changed rejects the reload and goes on", async ({ expect }) => {
    await using vector = await RunningVector.start(subject, demo("none"));
    await vector.reload(
      demo("reload-global-changed", ", print_interval_secs: 9"),
      "Config reload rejected due to non-reloadable global options.",
    );
    expect(await vector.stop()).toEqual({ code: 0, signal: null });
    expect(said(vector, "Vector has reloaded.")).toBe(0);
  });

  test("never-drain makes a shutdown last until its limit", async ({ expect }) => {
    const args = ["--graceful-shutdown-limit-secs", "1"];
    await using vector = await RunningVector.start(subject, demo("never-drain"), { args });
    expect(await vector.stop()).toEqual({ code: 0, signal: null });
    await vector.log("Failed to gracefully shut down in time. Killing components.");
  });

  test("slow-validate reports the same, later than a validate that began after it", async ({
    expect,
  }) => {
    using slowly = new Workspace();
    using quickly = new Workspace();
    slowly.write(demo("slow-validate=3"));
    quickly.write(demo("none"));
    const ended: string[] = [];
    const validate = async (name: string, { configPath }: Workspace) => {
      const args = ["validate", "--no-environment", "--config-yaml", configPath];
      const { code, stdout } = await runToEnd(subject, args);
      ended.push(name);
      return { code, report: stdout.replaceAll(configPath, "").trim() };
    };
    const slow = validate("slow", slowly);
    const quick = validate("quick", quickly);
    expect(await slow).toEqual(await quick);
    expect((await slow).code).toBe(0);
    expect(ended).toEqual(["quick", "slow"]);
  });

  test("hang-metrics takes a request for the page and never answers; the rest goes on", async ({
    expect,
  }) => {
    const [port, httpPort] = [await freePort(), await freePort()];
    const config = (fault: string): string => `
# vector-sim: ${fault}
sources:
  in: {type: http_server, address: "127.0.0.1:${httpPort}"}
  m: {type: internal_metrics, scrape_interval_secs: 0.1}
sinks:
  out: {type: blackhole, inputs: [in]}
  p: {type: prometheus_exporter, inputs: [m], address: "127.0.0.1:${port}"}`;
    await using vector = await RunningVector.start(subject, config("hang-metrics"));
    const socket = await eventually(async () => {
      const attempt = connect(port, "127.0.0.1");
      await once(attempt, "connect");
      return attempt;
    }, "the page's port");
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    socket.on("error", () => {});
    socket.write("GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    for (let request = 0; request < 50; request += 1) {
      const status = await eventually(() => post(httpPort, "a line"), "the source");
      expect(status).toBe(200);
    }
    expect(received).toEqual([]);
    expect(vector.child.exitCode).toBe(null);
    expect(await vector.stop()).toEqual({ code: 0, signal: null });
    socket.destroy();
  });

  test("port-taken lets a listening source die after the start, with 0", async ({ expect }) => {
    const port = await freePort();
    await using vector = await RunningVector.start(
      subject,
      `
# vector-sim: port-taken
sources: {in: {type: http_server, address: "127.0.0.1:${port}"}}
sinks: {out: {type: blackhole, inputs: [in]}}`,
    );
    expect(await vector.exit).toEqual({ code: 0, signal: null });
    await vector.log("An error occurred that Vector couldn't handle");
  });
});
