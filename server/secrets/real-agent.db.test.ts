import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test, vi } from "vitest";
import { SelectorOperator } from "#gen/vectorflow/v1/delivery_pb.ts";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { DeployStep } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { CertificateType } from "#gen/vectorflow/v1/secret_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { certificatePem, otherCertificatePem } from "../testing/public-pem.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";

const root = join(import.meta.dirname, "../..");
/** vector-sim, or the Vector of VECTOR_BIN. */
const vectorBin = process.env["VECTOR_BIN"] ?? join(root, "agent/simulator/vector-sim");
/** For a busy machine; what is measured is printed. */
const slow = { timeout: 40_000, interval: 20 };

/** Writes its own strings to a file, so that one sees what Vector made of them. */
const told = (file: string): string => `sources:
  in:
    type: demo_logs
    format: shuffle
    interval: 0.02
    lines: ["pw SECRET[pw]", "ca CERT[ca]"]
sinks:
  out:
    type: file
    inputs: [in]
    path: ${file}
    encoding: {codec: json}
`;

/** The agent as a process of its own, ended and waited for with the test. */
function startAgent(agentUrl: string, token: string, dataDir: string) {
  const args = ["run", "--server", agentUrl, "--token", token, "--data-dir", dataDir];
  const child = spawn(process.execPath, [join(root, "agent/main.ts"), ...args], {
    cwd: root,
    stdio: "ignore",
    env: { ...process.env, VECTOR_BIN: vectorBin },
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

/** The processes that run Vector below a folder, validations aside. */
async function vectorPids(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    const args = command.split("\0");
    if (!args.includes("--config-yaml") || args.includes("validate")) continue;
    const place = await readlink(`/proc/${name}/cwd`).catch(() => "");
    if (command.includes(folder) || place.startsWith(folder)) found.push(Number(name));
  }
  return found;
}

test("each change alone reaches a connected host and is applied there (P4, A13)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-real-agent-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const server = stack.use(await startTestServer(inject("templateUrl")));
  const { token, environmentId, enrollmentToken } = await setUp(server);
  const pipelines = server.client(PipelineService, token);
  const secrets = server.client(SecretService, token);
  const certificates = server.client(CertificateService, token);
  const delivery = server.client(DeliveryService, token);
  const nodes = server.client(NodeService, token);

  const output = join(folder, "out.json");
  const lastLine = async (prefix: string): Promise<string | undefined> => {
    const text = await readFile(output, "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => line.endsWith("}"));
    const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
    return messages.findLast((message) => message.startsWith(prefix))?.slice(prefix.length);
  };
  const certificateInUse = async (): Promise<string> =>
    readFile((await lastLine("ca ")) ?? "", "utf8").catch(() => "");
  const measured: Record<string, number> = {};
  const measure = async (name: string, change: () => Promise<unknown>, done: () => unknown) => {
    const started = performance.now();
    await change();
    await vi.waitFor(done, slow);
    measured[name] = Math.round(performance.now() - started);
  };

  const pw = await secrets.createSecret({ environmentId, name: "pw", value: "first value" });
  const ca = await certificates.createCertificate({
    environmentId,
    name: "ca",
    filename: "ca.pem",
    type: CertificateType.CA,
    content: certificatePem,
  });
  const { pipeline } = await pipelines.createPipeline({
    environmentId,
    name: "Told",
    yaml: told(output),
  });
  const id = pipeline?.summary?.id ?? "";
  stack.use(startAgent(server.server.agentUrl, enrollmentToken, join(folder, "agent")));
  await vi.waitFor(async () => {
    expect((await nodes.listNodes({ environmentId })).nodes).toHaveLength(1);
  }, slow);
  const [node] = (await nodes.listNodes({ environmentId })).nodes;
  const nodeId = node?.id ?? "";
  const applied = async (): Promise<void> => {
    const { nodes: states } = await pipelines.getPipeline({ id });
    expect(states).toMatchObject([{ step: DeployStep.HEALTHY, effectiveVersion: 1 }]);
  };
  await pipelines.deployPipeline({ id });
  await vi.waitFor(applied, slow);
  await vi.waitFor(async () => {
    expect(await lastLine("pw ")).toBe("first value");
    expect(await certificateInUse()).toBe(certificatePem);
  }, slow);
  const before = await vectorPids(folder);
  expect(before).toHaveLength(1);

  await measure(
    "secret",
    () =>
      secrets.updateSecret({ environmentId, id: pw.secret?.id ?? "", value: 'new "$value" # ü' }),
    async () => expect(await lastLine("pw ")).toBe('new "$value" # ü'),
  );
  await vi.waitFor(applied, slow);
  await measure(
    "certificate",
    () =>
      certificates.updateCertificate({
        environmentId,
        id: ca.certificate?.id ?? "",
        content: otherCertificatePem,
      }),
    async () => expect(await certificateInUse()).toBe(otherCertificatePem),
  );
  await vi.waitFor(applied, slow);
  // Both by a reload: the process is the one from before.
  expect(await vectorPids(folder)).toEqual(before);

  await measure(
    "log level",
    () => delivery.setLogLevel({ pipelineId: id, logLevel: "debug" }),
    async () => {
      const pids = await vectorPids(folder);
      expect(pids).toHaveLength(1);
      expect(pids).not.toEqual(before);
    },
  );
  await vi.waitFor(applied, slow);

  await nodes.updateNode({ id: nodeId, labels: { labels: { site: "fra" } } });
  const { etag } = await delivery.getDelivery({ pipelineId: id });
  const terms = [{ key: "site", operator: SelectorOperator.EQUALS, values: ["fra"] }];
  await delivery.setSelector({ pipelineId: id, selector: { terms }, etag });
  const running = async (count: number) => expect(await vectorPids(folder)).toHaveLength(count);
  const setLabel = (site: string) => () =>
    nodes.updateNode({ id: nodeId, labels: { labels: { site } } });
  const setMaintenance = (maintenance: boolean) => () =>
    nodes.updateNode({ id: nodeId, maintenance });
  await measure("label off", setLabel("ams"), () => running(0));
  await measure("label on", setLabel("fra"), () => running(1));
  await vi.waitFor(applied, slow);
  await measure("maintenance on", setMaintenance(true), () => running(0));
  await measure("maintenance off", setMaintenance(false), () => running(1));
  await vi.waitFor(applied, slow);
  expect(await lastLine("pw ")).toBe('new "$value" # ü');

  process.stdout.write(`reached the host within ms: ${JSON.stringify(measured)}\n`);
  for (const [change, ms] of Object.entries(measured)) {
    expect.soft(ms, `${change} took ${ms} ms`).toBeLessThan(30_000);
  }
}, 180_000);
