import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { DeployStep } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { measureAgent } from "./agent.ts";
import { measureCheck, type CheckOf, type CheckTimes, type Times } from "./check.ts";
import { startBenchStack, type BenchStack } from "./stack.ts";

// `npm run bench [-- --json]`: what the control plane costs, with its database in the loop and the agents in a
// process of their own. All three share the machine's cores, so read the figures as ratios.

const usage = `Usage: npm run bench [-- --json] [-- --quick] [-- --only check]

  --json    Print JSON only.
  --quick   Fewer rounds.
  --only    agent, check or server: measure only that.
`;

const args = new Set(process.argv.slice(2));
if (args.has("--help")) {
  process.stdout.write(usage);
  process.exit(0);
}
const rounds = args.has("--quick") ? 5 : 20;

interface Admin {
  readonly pipelines: Client<typeof PipelineService>;
  readonly ids: readonly string[];
  readonly token: string;
}

const yaml = (interval: number): string => `sources:
  in:
    type: demo_logs
    format: json
    interval: ${interval}
transforms:
  mid:
    type: filter
    inputs: [in]
    condition: "true"
sinks:
  out:
    type: blackhole
    inputs: [mid]
`;

async function prepare(stack: BenchStack): Promise<Admin> {
  const anonymous = createConnectTransport({ baseUrl: stack.web, httpVersion: "1.1" });
  const auth = createClient(AuthService, anonymous);
  const login = { email: "bench@example.com", password: "a password for the bench" };
  const { environmentId } = await auth.completeSetup({
    ...login,
    setupToken: stack.setupToken,
    name: "Bench",
    teamName: "Bench",
    environmentName: "Bench",
  });
  const { sessionToken } = await auth.login(login);
  const transport = createConnectTransport({
    baseUrl: stack.web,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${sessionToken}`);
        return next(request);
      },
    ],
  });
  const { token } = await createClient(EnvironmentService, transport).createEnrollmentToken({
    environmentId,
  });
  const pipelines = createClient(PipelineService, transport);
  const ids: string[] = [];
  for (const name of ["First", "Second"]) {
    const { pipeline } = await pipelines.createPipeline({ environmentId, name, yaml: yaml(1) });
    ids.push(pipeline?.summary?.id ?? "");
  }
  return { pipelines, ids, token };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const wallNow = (): number => performance.timeOrigin + performance.now();

/** From the deploy call to the manifest at each agent, and until all reports of receipt are stored. */
async function propagation(stack: BenchStack, admin: Admin, version: { next: number }) {
  const [id = ""] = admin.ids;
  const times: number[] = [];
  const stored: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { pipeline } = await admin.pipelines.getPipeline({ id });
    await admin.pipelines.updatePipeline({
      id,
      revision: pipeline?.revision ?? "",
      yaml: yaml(version.next),
    });
    const received = stack.ask({ kind: "expect", version: version.next }, "received");
    const started = wallNow();
    await admin.pipelines.deployPipeline({ id });
    const { at } = await received;
    times.push(...at.map((time) => time - started));
    for (;;) {
      const { nodes } = await admin.pipelines.getPipeline({ id });
      const waiting = nodes.filter(({ step }) => step === DeployStep.WAITING).length;
      if (nodes.length - waiting >= at.length) break;
    }
    stored.push(wallNow() - started);
    version.next += 1;
  }
  return {
    agentP50Ms: Math.round(quantile(times, 0.5)),
    agentP99Ms: Math.round(quantile(times, 0.99)),
    allStoredP50Ms: Math.round(quantile(stored, 0.5)),
  };
}

async function heartbeats(stack: BenchStack, perSecond: number, seconds: number) {
  const before = await stack.cpu();
  const { sent } = await stack.ask({ kind: "beat", perSecond, seconds }, "beaten");
  // The last batch is gathered for a quarter of a second.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const after = await stack.cpu();
  const server = ((after.server - before.server) / sent) * 1000;
  const database = ((after.database - before.database) / sent) * 1000;
  return {
    perSecond,
    rowsPerSecond: perSecond * 10,
    serverCpuMs: Number(server.toFixed(3)),
    databaseCpuMs: Number(database.toFixed(3)),
    agentsPerCoreAt5s: Math.round(5000 / (server + database)),
  };
}

function progress(text: string): void {
  process.stderr.write(`${text}…\n`);
}

async function measure(stack: BenchStack) {
  progress("setting up");
  const admin = await prepare(stack);
  const enroll = async (count: number, atOnce: number) => {
    const result = await stack.ask(
      {
        kind: "enroll",
        server: stack.agents,
        token: admin.token,
        count,
        atOnce,
        prefix: `e${atOnce}`,
      },
      "enrolled",
    );
    return { perSecond: Math.round(count / result.seconds), failed: result.failed };
  };
  progress("enrolling 500, 32 at once");
  const enrolments = {
    at32: await enroll(500, 32),
    at500: await (progress("enrolling 500 at once"), enroll(500, 500)),
  };
  const before = await stack.memory();
  const version = { next: 1 };
  await stack.ask({ kind: "connect", count: 200 }, "connected");
  progress("deploying to 200 agents");
  const on200 = await propagation(stack, admin, version);
  await stack.ask({ kind: "connect", count: 1000 }, "connected");
  progress("deploying to 1 000 agents");
  const on1000 = await propagation(stack, admin, version);
  progress("sending heartbeats");
  const [, second = ""] = admin.ids;
  await admin.pipelines.deployPipeline({ id: second });
  const perSession = ((await stack.memory()) - before) / 1000;
  return {
    enrolmentsPerSecond: enrolments,
    propagation: { on200, on1000 },
    heartbeat: await heartbeats(stack, 1000, args.has("--quick") ? 5 : 15),
    memoryPerSessionKb: Math.round(perSession / 1024),
  };
}

type Row = readonly [string, string];

async function serverPart() {
  await using stack = await startBenchStack();
  return await measure(stack);
}

function serverRows(result: Awaited<ReturnType<typeof measure>>): readonly Row[] {
  const { enrolmentsPerSecond: e, propagation: p, heartbeat: h } = result;
  return [
    [
      "deploy → received, 200 agents, p50 / p99",
      `${p.on200.agentP50Ms} / ${p.on200.agentP99Ms} ms`,
    ],
    [
      "deploy → received, 1 000 agents, p50 / p99",
      `${p.on1000.agentP50Ms} / ${p.on1000.agentP99Ms} ms`,
    ],
    ["deploy → all receipts stored, 1 000 agents", `${p.on1000.allStoredP50Ms} ms`],
    ["CPU per heartbeat, server + database", `${h.serverCpuMs} + ${h.databaseCpuMs} ms`],
    ["agents per core, a heartbeat each 5 s", `${h.agentsPerCoreAt5s}`],
    ["enrolments per second, 32 at once", `${e.at32.perSecond} (${e.at32.failed} failed)`],
    ["enrolments per second, 500 at once", `${e.at500.perSecond} (${e.at500.failed} failed)`],
    ["server memory per session", `${result.memoryPerSessionKb} KB`],
  ];
}

function agentRows(agent: Awaited<ReturnType<typeof measureAgent>>): readonly Row[] {
  const memory = ({ residentMb, anonymousMb }: (typeof agent)["source"]): string =>
    `${residentMb} MB, ${anonymousMb} MB of it its own`;
  return [
    ["agent idle, 5 pipelines, from source: resident", memory(agent.source)],
    ["agent idle, 5 pipelines, single file: resident", memory(agent.binary)],
    [
      "agent idle: share of a core, source / single file",
      `${agent.source.cpuPercent} % / ${agent.binary.cpuPercent} %`,
    ],
    ["agent's single file, compressed", `${agent.binarySizeMb} MB, ${agent.compressedSizeMb} MB`],
    [
      "agent's single file starts in, best / median",
      `${agent.startMs.best} / ${agent.startMs.median} ms`,
    ],
  ];
}

function checkRows(check: CheckTimes): readonly Row[] {
  const shown = ({ median, best }: Times): string => `${median} / ${best} ms`;
  const row = (what: string, { graphMs, textMs }: CheckOf): Row => [
    `check of 200 components, ${what}, median / best`,
    `${shown(graphMs)}; with reading the text ${shown(textMs)}`,
  ];
  return [
    row("100 with programs, one program changed", check.mixedChange),
    row("100 with programs, all new", check.mixedNew),
    row("198 with programs, one program changed", check.programsChange),
    row("198 with programs, all new", check.programsNew),
    ["the same, first of a new thread", `${check.firstMs} ms`],
  ];
}

const parts = ["server", "check", "agent"] as const;
const only = parts.filter((part) => args.has(part));
const wanted = (part: (typeof parts)[number]): boolean => only.length === 0 || only.includes(part);
const server = wanted("server") ? await serverPart() : undefined;
if (wanted("check")) progress("checking a large pipeline");
const check = wanted("check") ? await measureCheck(args.has("--quick")) : undefined;
const agent = wanted("agent") ? await measureAgent(args.has("--quick"), progress) : undefined;
process.stdout.write(
  `${JSON.stringify({ ...server, ...(check && { check }), ...(agent && { agent }) }, null, 2)}\n`,
);
if (!args.has("--json")) {
  const rows = [
    ...(server ? serverRows(server) : []),
    ...(check ? checkRows(check) : []),
    ...(agent ? agentRows(agent) : []),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(width)}  ${value}\n`);
}
process.exit(0);
