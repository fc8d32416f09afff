import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar";
import { expect, test } from "vitest";
import { silentLogger } from "#common/logger.ts";
import { selfCommand } from "../self-command.ts";
import { IdentityStore } from "../state/identity.ts";
import { PipelineStore } from "../state/pipeline-store.ts";

const secrets = {
  node: "vfn_node_token_of_this_host",
  enrollment: "vfe_enrollment_token_given",
  password: 'quo"te $dollar \\back and\nsecond line of it',
  plain: "correct horse battery staple",
  certificate:
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAA\n-----END PRIVATE KEY-----\n",
  proxy: "proxy-p4ss",
  pasted: "pasted-into-the-config",
};

/** The state of a host that runs a pipeline whose log and errors repeat its secrets. */
async function makeState(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const identities = new IdentityStore(dataDir, silentLogger);
  await identities.save({
    server: "http://127.0.0.1:1",
    installationId: "installation",
    nodeId: "node-7",
    nodeToken: secrets.node,
    environmentId: "environment",
    environmentName: "Production",
  });
  const store = new PipelineStore(dataDir, () => identities.key, silentLogger);
  await store.saveBody({
    pipelineId: "p1",
    hash: "hash-1",
    configYaml: "sources: {}\n",
    logLevel: "info",
    secrets: new Map([
      ["password", Buffer.from(secrets.password)],
      ["plain", Buffer.from(secrets.plain)],
    ]),
    certificates: [{ name: "key", filename: "key.pem", content: Buffer.from(secrets.certificate) }],
  });
  const effective = { hash: "hash-1", version: 3, vectorVersion: "0.58.0" };
  await store.saveRecord("p1", {
    name: "Logs",
    effective,
    attempt: {
      ...effective,
      attempt: 1,
      phase: "failed",
      reason: `sink refused ${secrets.plain}`,
      problems: [],
      logTail: [
        `WARN bad password ${secrets.password}`,
        `sent ${Buffer.from(secrets.plain).toString("base64")}`,
        "an ordinary line",
      ],
      gapMs: 0,
    },
  });
  await writeFile(
    store.paths("p1").config,
    `sinks:\n  out:\n    type: http\n    uri: https://sink.test\n    auth: { strategy: bearer, token: ${secrets.pasted} }\n    note: ${secrets.plain}\n`,
  );
}

async function textsIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return new Map(
    await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path.slice(folder.length + 1), await readFile(path, "utf8")] as const;
      }),
    ),
  );
}

test("holds what explains a fault, and none of the host's secrets", async () => {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-bundle-"));
  const dataDir = join(folder, "agent");
  await makeState(dataDir);
  const before = await readdir(dataDir, { recursive: true });
  const output = join(folder, "support.tar.gz");
  const self = selfCommand();
  const make = () =>
    spawnSync(
      self.command,
      [...self.args, "support-bundle", "--data-dir", dataDir, "--output", output],
      {
        encoding: "utf8",
        env: {
          PATH: process.env["PATH"],
          VECTOR_BIN: join(import.meta.dirname, "../simulator/vector-sim"),
          VECTORFLOW_ENROLLMENT_TOKEN: secrets.enrollment,
          HTTPS_PROXY: `http://user:${secrets.proxy}@proxy.test:3128`,
        },
      },
    );
  expect(make()).toMatchObject({ status: 0, stderr: "" });
  expect((await stat(output)).mode & 0o777).toBe(0o600);
  await mkdir(join(folder, "open"));
  await extract({ file: output, cwd: join(folder, "open"), strip: 1 });
  const texts = await textsIn(join(folder, "open"));
  expect([...texts.keys()].toSorted()).toEqual([
    "README.txt",
    "agent.log",
    "connection.json",
    "doctor.json",
    "identity.json",
    "pipelines/p1/pipeline.json",
    "pipelines/p1/vector.yaml",
    "processes.txt",
    "service.txt",
    "state.json",
    "status.json",
    "version.json",
  ]);
  const everything = [...texts.values()].join("\n");
  for (const secret of Object.values(secrets)) {
    for (const line of secret.split("\n").filter((part) => part !== "")) {
      if (line.startsWith("-----")) continue;
      for (const form of [
        line,
        JSON.stringify(line).slice(1, -1),
        Buffer.from(line).toString("base64"),
      ]) {
        expect(everything).not.toContain(form);
      }
    }
  }
  expect(everything).not.toContain("sealedKey");
  for (const [name, text] of texts) {
    if (name.endsWith(".json") && !text.startsWith("not available")) {
      expect(() => JSON.parse(text) as unknown).not.toThrow();
    }
  }
  expect(texts.get("identity.json")).toContain("node-7");
  expect(texts.get("pipelines/p1/pipeline.json")).toContain("an ordinary line");
  expect(texts.get("pipelines/p1/vector.yaml")).toContain("uri: https://sink.test");
  // What is there stays: neither the state nor an earlier bundle is touched.
  expect(await readdir(dataDir, { recursive: true })).toEqual(before);
  expect(make()).toMatchObject({ status: 1, stderr: expect.stringContaining("EEXIST") as string });
  await rm(folder, { recursive: true });
});
