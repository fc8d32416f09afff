import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { CheckVerdict } from "#gen/vectorflow/agent/v1/check_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { FakeAgent } from "../server/testing/fake-agent.ts";
import { configText, startCliWorld, type CliWorld } from "./testing/cli-world.ts";

let world: CliWorld;

beforeAll(async () => {
  world = await startCliWorld(inject("templateUrl"));
  const { admin, server } = world;
  await server
    .client(EnvironmentService, admin.token)
    .createEnvironment({ teamId: admin.teamId, name: "Staging" });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const inProduction = ["-e", "Production", "--output", "json"];

async function applied(name: string, text = configText()): Promise<void> {
  const file = await world.write(`${name}.yaml`, text);
  const { code, stderr } = await world.cli([
    "pipelines",
    "apply",
    "-f",
    file,
    "--deploy",
    "--wait",
    "0",
    ...inProduction,
  ]);
  expect([code, stderr.includes("paused")]).toEqual([0, false]);
}

async function stateOf(name: string): Promise<unknown> {
  const { json } = await world.cli(["pipelines", "get", name, ...inProduction]);
  return json;
}

describe("the life of a pipeline", () => {
  test("pauses, leaves it alone in an apply, and resumes the same version", async () => {
    await applied("logs");
    const refused = await world.cli(["pipelines", "pause", "logs", ...inProduction]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("--yes")]);
    const paused = await world.cli(["pipelines", "pause", "logs", "--yes", ...inProduction]);
    expect(paused.json).toEqual({ pipeline: "logs", result: "paused", version: 1 });
    expect(await stateOf("logs")).toMatchObject({ state: "paused", paused_version: 1 });

    const file = await world.write("logs.yaml", configText("syslog"));
    const apply = await world.cli([
      "pipelines",
      "apply",
      "-f",
      file,
      "--deploy",
      "--wait",
      "0",
      ...inProduction,
    ]);
    expect(apply.code).toBe(0);
    expect(apply.stderr).toContain("logs is paused and was not deployed");
    expect(apply.json).toMatchObject({ outcomes: [{ result: "updated", version: null }] });
    const deploy = await world.cli(["pipelines", "deploy", "logs", ...inProduction]);
    expect([deploy.code, deploy.stderr]).toEqual([1, expect.stringContaining("--end-pause")]);

    const resumed = await world.cli([
      "pipelines",
      "resume",
      "logs",
      "--wait",
      "0",
      ...inProduction,
    ]);
    expect(resumed.json).toMatchObject({ result: "resumed", version: 1 });
    expect(await stateOf("logs")).toMatchObject({ state: "deployed_with_changes" });
  });

  test("takes an undeploy back, and deletes", async () => {
    await applied("gone");
    await world.cli(["pipelines", "undeploy", "gone", "--yes", ...inProduction]);
    expect(await stateOf("gone")).toMatchObject({ state: "undeployed", undeployed_version: 1 });
    const back = await world.cli([
      "pipelines",
      "resume",
      "gone",
      "--version",
      "1",
      "--wait",
      "0",
      ...inProduction,
    ]);
    expect(back.json).toMatchObject({ result: "resumed", version: 1 });
    const deleted = await world.cli(["pipelines", "delete", "gone", "--yes", ...inProduction]);
    expect(deleted.json).toEqual({ pipeline: "gone", result: "deleted" });
  });

  test("clones, and promotes what is deployed", async () => {
    await applied("web");
    const clone = await world.cli(["pipelines", "clone", "web", ...inProduction]);
    expect(clone.json).toMatchObject({ pipeline: "web copy", result: "created", from: "web" });
    const promote = (...flags: string[]) =>
      world.cli(["pipelines", "promote", "web", "--to", "Staging", ...flags, ...inProduction]);
    const first = await promote();
    expect([first.code, first.json]).toEqual([
      0,
      expect.objectContaining({
        result: "created",
        from: { environment: "Production", version: 1 },
        to: { environment: "Staging" },
      }),
    ]);
    expect((await promote()).code).toBe(2);
    expect((await promote("--yes")).json).toMatchObject({ result: "updated" });
  });

  test.each([
    { state: "paused", version: 1, says: "version 1 of paused" },
    { state: "undeployed", version: null, says: "the saved draft of undeployed" },
  ])("of what is $state, $says is promoted", async ({ state, version, says }) => {
    await applied(state);
    const verb = state === "paused" ? "pause" : "undeploy";
    await world.cli(["pipelines", verb, state, "--yes", ...inProduction]);
    const file = await world.write(`${state}.yaml`, configText("syslog"));
    await world.cli(["pipelines", "apply", "-f", file, ...inProduction]);
    const promote = ["pipelines", "promote", state, "--to", "Staging"];
    const people = await world.cli([...promote, "-e", "Production"]);
    expect(people.stdout).toContain(`${state} in Staging is a draft with ${says} now`);
    expect(people.stderr.includes("is not deployed")).toBe(version === null);
    const there = await world.cli(["pipelines", "export", state, "-e", "Staging"]);
    expect(there.stdout).toBe(configText(version === null ? "syslog" : "json"));
    const programs = await world.cli([...promote, "--yes", ...inProduction]);
    expect(programs.json).toMatchObject({ from: { version } });
  });

  test("a promotion names what the other environment lacks, and does nothing", async () => {
    const text = configText().replace("format: json", 'format: json\n    token: "SECRET[api_key]"');
    const file = await world.write("secret.yaml", text);
    // A draft may refer to what is not there yet: only this is saved.
    await world.cli(["secrets", "set", "api_key", ...inProduction], { stdin: "vvvvvv" });
    await world.cli(["pipelines", "apply", "-f", file, ...inProduction]);
    const { code, json } = await world.cli([
      "pipelines",
      "promote",
      "secret",
      "--to",
      "Staging",
      "--version",
      "0",
      ...inProduction,
    ]);
    expect(code).toBe(1);
    expect(json).toMatchObject({
      result: "refused",
      references: [{ kind: "secret", name: "api_key", exists: false }],
    });
  });
});

describe("a configuration", () => {
  const toml = `data_dir = "/x"
# Made up
[sources.in]
type = "demo_logs"
format = "json"
[sinks.out]
type = "blackhole"
inputs = ["*"]
`;

  test("comes in from TOML, and goes out in each format", async () => {
    const file = await world.write("vector.toml", toml);
    const dry = await world.cli(["pipelines", "import", file, "--dry-run", ...inProduction]);
    expect([dry.code, dry.json]).toEqual([
      3,
      expect.objectContaining({ result: "would_create", pipeline: "vector", problems: [] }),
    ]);
    const made = await world.cli(["pipelines", "import", file, "--name", "demo", ...inProduction]);
    expect(made.json).toMatchObject({
      pipeline: "demo",
      result: "created",
      notices: [{ message: expect.stringContaining("data_dir") as string }],
    });
    const yaml = await world.cli(["pipelines", "export", "demo", "-e", "Production"]);
    expect(yaml.stdout).toContain("# Made up");
    const out = await world.cli([
      "pipelines",
      "export",
      "demo",
      "--format",
      "toml",
      "-e",
      "Production",
    ]);
    expect(
      out.stdout
        .replace(/^\[(sources|sinks)\]\n/gm, "")
        .replace(/\n\n/g, "\n")
        .trim(),
    ).toBe(
      toml
        .replace(/data_dir.*\n|# .*\n/g, "")
        .replace('["*"]', '[ "*" ]')
        .trim(),
    );
    expect(out.stderr).toContain("comments are left out");
  });

  test("that has a key twice is refused, and nothing is made", async () => {
    const file = await world.write("twice.toml", `${toml}[sinks.out]\ntype = "console"\n`);
    const { code, json } = await world.cli(["pipelines", "import", file, ...inProduction]);
    expect(code).toBe(1);
    expect(json).toMatchObject({ result: "refused", file_problems: [{ line: 9 }] });
  });
});

test("versions are compared with each other and with the draft", async () => {
  await applied("compared");
  await applied("compared", configText("syslog"));
  const diff = (...flags: string[]) =>
    world.cli(["pipelines", "diff", "compared", ...flags, ...inProduction]);
  const two = await diff("--from", "1", "--to", "2");
  expect([two.code, two.json]).toEqual([
    3,
    expect.objectContaining({
      from: 1,
      to: 2,
      effect: "reload",
      changes: [{ component: "in", change: "changed", fields: ["format"] }],
    }),
  ]);
  const draft = await diff();
  expect([draft.code, draft.json]).toEqual([
    0,
    expect.objectContaining({ from: 2, to: null, result: "unchanged" }),
  ]);
  expect((await diff("-f", "x")).code).toBe(2);
});

test("a deploy asks the hosts first, and leaves it when one would refuse", async () => {
  await applied("asked");
  await using agent = new FakeAgent(world.server.server.agentUrl, "asked-host");
  agent.capabilities = [Capability.CHECK_CONFIG];
  await agent.enroll(world.admin.enrollmentToken, "asked-host");
  await agent.connect();
  agent.heartbeat();
  const problems = [{ componentId: "out", field: "", message: "no room\u001b[31m" }];
  let answer: object = { verdict: CheckVerdict.REFUSED, reason: "refused", problems };
  agent.onMessage = (message) => {
    if (message.case !== "checkConfig") return;
    const { checkId } = message.value;
    agent.send({ case: "checkResult", value: { checkId, ...answer } });
  };
  const file = await world.write("asked.yaml", configText("syslog"));
  await world.cli(["pipelines", "apply", "-f", file, ...inProduction]);
  const deploy = (...flags: string[]) =>
    world.cli(["pipelines", "deploy", "asked", "--check-hosts", "--wait", "0", ...flags]);
  const people = await deploy("-e", "Production");
  expect(people.code).toBe(1);
  expect(people.stdout).toMatch(/1 host would refuse it \(asked-host\): out: no room/);
  expect(people.stdout).not.toContain("\u001b");
  const refused = await deploy(...inProduction);
  expect([refused.code, refused.json]).toEqual([
    1,
    expect.objectContaining({
      result: "refused",
      host_checks: expect.objectContaining({ asked_count: 1, accepted_count: 0 }) as object,
    }),
  ]);
  answer = { verdict: CheckVerdict.ACCEPTED, vectorVersion: "0.58.0" };
  const done = await deploy(...inProduction);
  expect([done.code, done.json]).toEqual([0, expect.objectContaining({ result: "deployed" })]);
});
