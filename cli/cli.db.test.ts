import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { SecretBackend } from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { makeCertificates } from "../server/testing/certificates.ts";
import { FakeAgent } from "../server/testing/fake-agent.ts";
import { openSql } from "../server/testing/seed.ts";
import { startTestServer } from "../server/testing/test-server.ts";
import { configText, runCli, startCliWorld, type CliWorld } from "./testing/cli-world.ts";

/** For a busy machine; a good run never comes near it. */
const patient = { timeout: 15_000 };

async function revealed({ server, admin }: CliWorld, name: string): Promise<string | undefined> {
  const client = server.client(SecretService, admin.token);
  const { environmentId } = admin;
  const { secrets } = await client.listSecrets({ environmentId });
  const id = secrets.find((secret) => secret.name === name)?.id;
  if (id === undefined) return undefined;
  return (await client.revealSecret({ environmentId, id })).value;
}

test("variables say whom they change, and are deployed with it on request", async () => {
  await using world = await startCliWorld(inject("templateUrl"));
  const { cli, write } = world;
  expect(await cli(["variables", "set", "rate"])).toMatchObject({ code: 2 });
  const set = (value: string, ...more: readonly string[]) =>
    cli(["variables", "set", "rate", "--value", value, "-o", "json", ...more]);
  expect(await set("5", "--dry-run")).toMatchObject({ code: 3, json: { result: "would_change" } });
  expect(await set("5")).toMatchObject({ code: 0, json: { result: "created" } });
  const text = configText().replace("type: blackhole", "type: blackhole\n    rate: VAR[rate]");
  const path = await write("web.yaml", text);
  expect(await cli(["pipelines", "apply", "-f", path, "--deploy"])).toMatchObject({ code: 0 });
  const effects = [{ pipeline: "web", components: ["out"], errors: [], hosts: 0 }];
  expect(await set("6", "--dry-run")).toMatchObject({ code: 3, json: { effects } });
  expect(await set("6")).toMatchObject({ code: 0, json: { result: "updated", stale: ["web"] } });
  expect(await set("6", "--redeploy")).toMatchObject({ code: 2 });
  expect(await set("6", "--redeploy", "--yes")).toMatchObject({ json: { deployed: ["web"] } });
  const broken = await set("many", "--redeploy", "--yes");
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing was changed") });
  const listed = await cli(["variables", "list"]);
  expect(listed.stdout).toMatch(/rate +6 +web/);
  expect(await cli(["variables", "delete", "rate", "--yes"])).toMatchObject({ code: 1 });
  const remove = ["variables", "delete", "rate", "--yes", "--in-use"];
  expect(await cli(remove)).toMatchObject({ code: 0 });
});

test("templates are listed and used with values from a file", async () => {
  await using world = await startCliWorld(inject("templateUrl"));
  const { cli, write } = world;
  const listed = await cli(["templates", "list", "-o", "json"]);
  expect(listed.json).toHaveLength(8);
  expect((await cli(["templates", "list"])).stdout).toContain("Syslog to Loki");
  const use = ["templates", "use", "split by severity"];
  expect(await cli(use)).toMatchObject({ code: 2 });
  const values = await write("values.yaml", "sample_rate: 7\n");
  const whole = [...use, "--name", "Split", "--values", values, "-o", "json"];
  expect(await cli([...whole, "--dry-run"])).toMatchObject({ code: 3 });
  const made = await cli(whole);
  expect(made).toMatchObject({ code: 0, json: { result: "created", problems: [] } });
  expect((made.json as { yaml: string }).yaml).toContain("rate: 7\n");
  expect(await cli(["pipelines", "deploy", "Split", "--yes", "--wait", "0"])).toMatchObject({
    code: 0,
  });
  expect(await cli(whole)).toMatchObject({ code: 1 });
  const bad = await cli([...use, "--name", "B", "--values", "-"], { stdin: "sample_rate: fast" });
  expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining("must be a number") });
});

describe("secrets", () => {
  test("are set from the standard input or a file, and never shown", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write } = world;
    const created = await cli(["secrets", "set", "es_password"], { stdin: "hunter2 \n" });
    expect(created).toMatchObject({ code: 0, stdout: "es_password created\n", stderr: "" });
    expect(await revealed(world, "es_password")).toBe("hunter2 ");
    const path = await write("value", "other\n");
    const exact = ["secrets", "set", "es_password", "--value-file", path, "--exact", "-o", "json"];
    expect((await cli(exact)).json).toMatchObject({ result: "updated" });
    expect(await revealed(world, "es_password")).toBe("other\n");
    expect((await cli(exact)).json).toMatchObject({ result: "unchanged" });
    const listed = await cli(["secrets", "list", "-o", "yaml"]);
    expect(listed.stdout).toContain("name: es_password");
    expect(listed.stdout).not.toContain("other");
    expect(await cli(["secrets", "set", "x"], { answer: "typed" })).toMatchObject({ code: 2 });
    expect(await cli(["secrets", "set", "x"], { stdin: "\n" })).toMatchObject({ code: 2 });
    expect(await cli(["secrets", "set", "x", "hunter2"])).toMatchObject({ code: 2 });
  });

  test("are referred to, and read again, where a backend keeps the values", async () => {
    const script = `cat > /dev/null; echo '{"es": {"value": "from there", "error": null}}'`;
    await using world = await startCliWorld(inject("templateUrl"), {
      VECTORFLOW_SECRET_COMMANDS: JSON.stringify({ reader: ["/bin/sh", "-c", script] }),
    });
    const { cli, server, admin } = world;
    const { environmentId, token } = admin;
    const backends = server.client(SecretBackendService, token);
    const { etag } = await backends.getSecretBackend({ environmentId });
    const settings = { backend: SecretBackend.EXEC, exec: { command: "reader" } };
    await backends.updateSecretBackend({ environmentId, etag, settings });
    expect(await cli(["secrets", "refer", "es"])).toMatchObject({ code: 2 });
    const made = await cli(["secrets", "refer", "es", "--path", "es", "-o", "json"]);
    expect(made).toMatchObject({ code: 0, json: { result: "created", secret: { failure: null } } });
    expect(await revealed(world, "es")).toBe("from there");
    const unread = await cli(["secrets", "refer", "none", "--path", "none"]);
    expect(unread).toMatchObject({ code: 1, stdout: expect.stringContaining("not be read yet") });
    const kept = await cli(["secrets", "refer", "es", "--path", "none"]);
    expect(kept).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing was changed") });
    const refreshed = await cli(["secrets", "refresh", "-o", "json"]);
    expect(refreshed).toMatchObject({ code: 1, json: { read: 1, failed: 1, changed: [] } });
    expect((await cli(["secrets", "list"])).stdout).toContain("not read (path); last good: never");
  });

  test("are listed with the failure of their backend as a whole", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-outage-"));
    stack.defer(() => rm(folder, { recursive: true }));
    const outage = join(folder, "outage");
    const script = `cat > /dev/null; test ! -e ${outage} || exit 3; echo '{"es": {"value": "v", "error": null}}'`;
    const { cli, server, admin } = stack.use(
      await startCliWorld(inject("templateUrl"), {
        VECTORFLOW_SECRET_COMMANDS: JSON.stringify({ reader: ["/bin/sh", "-c", script] }),
      }),
    );
    const { environmentId, token } = admin;
    const backends = server.client(SecretBackendService, token);
    const { etag } = await backends.getSecretBackend({ environmentId });
    const settings = { backend: SecretBackend.EXEC, exec: { command: "reader" } };
    await backends.updateSecretBackend({ environmentId, etag, settings });
    expect(await cli(["secrets", "refer", "es", "--path", "es"])).toMatchObject({ code: 0 });
    expect((await cli(["secrets", "list", "-o", "json"])).json).toMatchObject({
      backend: { kind: "exec", failure: null, failing_since_time: null },
    });
    await writeFile(outage, "");
    await cli(["secrets", "refresh"]);
    expect((await cli(["secrets", "list"])).stdout).toMatch(
      /^the backend \(exec\) fails: \w+, since \d[^]*\nes .* last good: \d/,
    );
    expect((await cli(["secrets", "list", "-o", "json"])).json).toMatchObject({
      backend: { failure: expect.any(String), failing_since_time: expect.any(String) },
      secrets: [{ name: "es", failure: null }],
    });
  });

  test("that something deployed refers to are deleted only when that is known", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write } = world;
    await cli(["secrets", "set", "host"], { stdin: "example.com" });
    const yaml = configText().replace(
      "type: blackhole",
      "type: http\n    uri: https://SECRET[host]/\n    encoding: { codec: json }",
    );
    const path = await write("web.yaml", yaml);
    const deploy = ["pipelines", "apply", "-f", path, "--deploy"];
    expect(await cli(deploy)).toMatchObject({ code: 0 });
    const remove = ["secrets", "delete", "host"];
    expect(await cli(remove)).toMatchObject({ code: 2 });
    const refused = await cli([...remove, "--yes"]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("web") });
    expect(await cli([...remove, "--yes", "--in-use"])).toMatchObject({ code: 0 });
    const { json } = await cli(["secrets", "list", "-o", "json"]);
    expect(json).toMatchObject({ secrets: [], missing: [{ name: "host" }] });
  });
});

test("hosts are watched until the signal, one line of JSON for each change", async () => {
  await using world = await startCliWorld(inject("templateUrl"));
  const { cli, server, admin } = world;
  await using agent = new FakeAgent(server.server.agentUrl, "ams");
  const { nodeId: id } = await agent.enroll(admin.enrollmentToken, "ams");
  const stop = new AbortController();
  let seen = "";
  const watching = cli(["nodes", "watch", "-o", "json"], {
    signal: stop.signal,
    onOutput: (text) => (seen += text),
  });
  const events = () =>
    seen
      .split("\n")
      .filter((line) => line !== "")
      .map(
        (line) => JSON.parse(line) as { event: string; node: { name: string; labels?: object } },
      );
  await expect
    .poll(events, patient)
    .toMatchObject([{ event: "present", node: { name: "ams", status: "unknown", reasons: [] } }]);
  expect(events()[0]?.node.labels).toEqual({});
  const nodes = server.client(NodeService, admin.token);
  await nodes.updateNode({ id, labels: { labels: { site: "fra" } } });
  await expect
    .poll(() => events().at(-1), patient)
    .toMatchObject({ event: "changed", node: { labels: { site: "fra" } } });
  await nodes.deleteNode({ id });
  await expect
    .poll(() => events().at(-1), patient)
    .toEqual({ event: "removed", node: { id, name: "ams" } });
  stop.abort();
  expect(await watching).toMatchObject({ code: 0, stderr: "" });
});

test("the environment is the only one, or must be named", async () => {
  await using world = await startCliWorld(inject("templateUrl"));
  const { cli, server, admin, apiToken } = world;
  expect(await cli(["pipelines", "list"])).toMatchObject({ code: 0 });
  expect(await cli(["pipelines", "list", "-e", "staging"])).toMatchObject({
    code: 1,
    stderr: "there is no environment staging: the token reaches Production\n",
  });
  await server
    .client(EnvironmentService, admin.token)
    .createEnvironment({ teamId: admin.teamId, name: "Staging" });
  const unnamed = await cli(["pipelines", "list"]);
  expect(unnamed).toMatchObject({ code: 2 });
  expect(unnamed.stderr).toContain(
    "--environment is needed: the token reaches Production, Staging",
  );
  const env = { VECTORFLOW_ENVIRONMENT: "staging" };
  expect(await cli(["pipelines", "list"], { env })).toMatchObject({ code: 0 });
  const { json } = await cli(["environments", "list", "-o", "json"]);
  expect(json).toMatchObject([
    { name: "Production", role: "editor" },
    { name: "Staging", team: "Platform" },
  ]);
  // Whoever lost access is told so, and told apart from a refusal.
  const tokens = server.client(ApiTokenService, admin.token);
  const [token] = (await tokens.listApiTokens({ teamId: admin.teamId })).tokens;
  await tokens.revokeApiToken({ teamId: admin.teamId, id: token?.id ?? "" });
  const revoked = await cli(["environments", "list"]);
  expect(revoked).toMatchObject({ code: 4, stdout: "" });
  expect(revoked.stderr).toContain("does not accept the API token");
  expect(revoked.stderr).not.toContain(apiToken);
});

test("every change carries a key, so that it can be sent again", async () => {
  await using world = await startCliWorld(inject("templateUrl"));
  const path = await world.write("web.yaml", configText());
  await world.cli(["pipelines", "apply", "-f", path, "--deploy"]);
  await using sql = await openSql(world.server.databaseUrl);
  const rows = await sql.query<{ rpc: string }>(
    `select "rpc" from "IdempotencyKey" where "actor" like 'token/%' order by 1`,
  );
  expect(rows.map(({ rpc }) => rpc.split("/")[1])).toEqual(["CreatePipeline", "DeployPipeline"]);
});

test("tests of a draft and of a file are run, and one that fails fails the command", async () => {
  await using world = await startCliWorld(inject("templateUrl"));
  const withTest = (condition: string): string => `${configText()}transforms:
  change: {type: remap, inputs: [in], source: .level = "info"}
tests:
  - name: a level
    inputs: [{insert_at: change, value: text}]
    outputs: [{extract_from: change, conditions: ['${condition}']}]
`;
  const path = await world.write("web.yaml", withTest("exists(.level)"));
  await world.cli(["pipelines", "apply", "-f", path]);
  const passed = await world.cli(["pipelines", "test", "web"]);
  expect(passed).toMatchObject({ code: 0, stdout: "passed   a level\n1 test, 0 failed\n" });
  const failing = await world.write("failing.yaml", withTest(".level == 1"));
  const failed = await world.cli(["pipelines", "test", "web", "-f", failing, "--output", "json"]);
  expect(failed.code).toBe(1);
  expect(failed.json).toMatchObject({
    pipeline: "web",
    problems: [],
    tests: [{ name: "a level", state: "failed" }],
  });
  const piped = await world.cli(["pipelines", "test", "web", "-f", "-"], { stdin: configText() });
  expect(piped).toMatchObject({ code: 0, stdout: "it has no tests\n" });
});

test("TLS is checked against the authority that is named", async () => {
  const { ca, server: certificate } = makeCertificates();
  await using world = await startCliWorld(inject("templateUrl"));
  const [caFile, cert, key] = await Promise.all([
    world.write("ca.pem", ca),
    world.write("cert.pem", certificate.cert),
    world.write("key.pem", certificate.key),
  ]);
  await using server = await startTestServer(inject("templateUrl"), {
    VECTORFLOW_TLS_CERT_FILE: cert,
    VECTORFLOW_TLS_KEY_FILE: key,
  });
  const env = {
    VECTORFLOW_SERVER: `https://${server.server.listening.http}`,
    VECTORFLOW_TOKEN: "vfa_unknown",
  };
  const trusted = await runCli(["environments", "list", "--ca-file", caFile], { env });
  expect(trusted.stderr).toContain("does not accept the API token");
  const untrusted = await runCli(["environments", "list"], { env });
  expect(untrusted).toMatchObject({ code: 4 });
  expect(untrusted.stderr).toContain("certificate");
});

test("the program itself reads a pipe, answers with its code and leaves (from another folder)", async () => {
  await using world = await startCliWorld(inject("templateUrl"));
  await world.write("web.yaml", configText());
  const start = async (args: readonly string[], stdin: string) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "vectorflow.js"), ...args], {
      cwd: world.folder,
      env: {
        PATH: process.env["PATH"],
        VECTORFLOW_SERVER: world.server.server.webUrl,
        VECTORFLOW_TOKEN_FILE: await world.write("token", `${world.apiToken}\n`),
      },
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stdin.end(stdin);
    const [code] = (await once(child, "close")) as [number];
    return { code, stdout };
  };
  const dry = ["pipelines", "apply", "-f", "web.yaml", "--dry-run"];
  expect(await start(dry, "")).toMatchObject({ code: 3 });
  expect(await start(["secrets", "set", "key", "-o", "json"], "from a pipe\n")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`"created"`),
  });
  expect(await revealed(world, "key")).toBe("from a pipe");
});
