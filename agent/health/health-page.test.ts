import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { FakeClock } from "#common/clock.ts";
import { createLogger, silentLogger } from "#common/logger.ts";
import { ConnectionState } from "../control/connection-state.ts";
import { LogSpool } from "../process/log-spool.ts";
import type { RunState } from "../process/pipeline-status.ts";
import type { PipelineRunner } from "../process/runner.ts";
import { reasonsNotReady, type HealthSources } from "./agent-health.ts";
import { runHealthPage } from "./health-page.ts";

function sources(...states: readonly RunState[]) {
  const runners = states.map((state, index) => ({ id: `p${index}`, state, restarts: index }));
  return {
    connection: new ConnectionState(new FakeClock()),
    spool: new LogSpool("spool", { maxLines: 2, maxBytes: 10_000, maxLineBytes: 100 }),
    reconciler: {
      highestGeneration: 7n,
      // The page reads nothing else of a runner.
      runners: () => runners as unknown as readonly PipelineRunner[],
    },
  } satisfies HealthSources;
}

async function openPage(from: HealthSources) {
  const stop = new AbortController();
  const port = Promise.withResolvers<number>();
  const address = { host: "127.0.0.1", port: 0 };
  const ended = runHealthPage(address, from, silentLogger, stop.signal, port.resolve);
  const base = `http://127.0.0.1:${await port.promise}`;
  return {
    get: async (path: string, method = "GET") => {
      const response = await fetch(base + path, { method });
      return { status: response.status, text: await response.text() };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

test("says whether it is connected, and counts what there is", async () => {
  const from = sources("running", "running", "crashed");
  await using page = await openPage(from);
  expect(await page.get("/healthz")).toEqual({ status: 200, text: "ok\n" });
  from.connection.closed("connection refused");
  expect(await page.get("/readyz")).toEqual({
    status: 503,
    text: "not connected to the server: connection refused\npipeline p2 is crashed\n",
  });
  from.connection.opened();
  for (let i = 0; i < 5; i++) {
    from.spool.add({
      pipelineId: "p0",
      time: new Date(),
      level: "info",
      stream: "stderr",
      componentId: "",
      text: `line ${i}`,
    });
  }
  for (const _scrape of ["first", "second"]) {
    const { text } = await page.get("/metrics");
    const value = (name: string): string | undefined =>
      text.split("\n").find((line) => line.startsWith(`vectorflow_agent_${name} `));
    expect(value("connected")).toBe("vectorflow_agent_connected 1");
    expect(value("generation")).toBe("vectorflow_agent_generation 7");
    expect(value("log_spool_lines")).toBe("vectorflow_agent_log_spool_lines 2");
    expect(value("lost_log_lines_total")).toBe("vectorflow_agent_lost_log_lines_total 3");
    expect(text).toContain('vectorflow_agent_pipelines{state="running"} 2\n');
    expect(text).toContain('vectorflow_agent_pipelines{state="crashed"} 1\n');
    expect(text).toContain('vectorflow_agent_pipeline_restarts{pipeline_id="p2"} 2\n');
    expect(Number(value("resident_memory_bytes")?.split(" ")[1])).toBeGreaterThan(10_000_000);
    expect(value("event_loop_lag_seconds")).toMatch(/ [0-9.e-]+$/);
  }
});

test("answers nothing else", async () => {
  await using page = await openPage(sources());
  expect((await page.get("/")).status).toBe(404);
  expect((await page.get("/healthz", "POST")).status).toBe(405);
});

test("a taken port is a warning and stops nothing", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const bound = taken.address();
  const port = typeof bound === "object" ? (bound?.port ?? 0) : 0;
  const lines: string[] = [];
  const log = createLogger((line) => lines.push(line));
  const { signal } = new AbortController();
  await runHealthPage({ host: "127.0.0.1", port }, sources(), log, signal);
  expect(lines.join("")).toMatch(/"level":"warn".*health page cannot listen.*EADDRINUSE/);
  taken.close();
});

test.each<[RunState, boolean]>([
  ["running", true],
  ["stopped", true],
  ["held", true],
  ["not_delivering", true],
  ["pending", false],
  ["starting", false],
  ["crashed", false],
])("a host with a pipeline that is %s is ready: %s", (state, isReady) => {
  const health = {
    connected: true,
    lastConnectedAt: undefined,
    reason: "",
    generation: 0n,
    pipelines: [{ id: "p", state, restarts: 0 }],
    spoolLines: 0,
    lostLines: 0,
  };
  expect(reasonsNotReady(health).length === 0).toBe(isReady);
  expect(reasonsNotReady({ ...health, connected: false })).not.toEqual([]);
});
