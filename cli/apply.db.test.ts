import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { ApplyPhase } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { AuditService } from "#gen/vectorflow/v1/audit_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { FakeAgent } from "../server/testing/fake-agent.ts";
import { configText, startCliWorld, type CliWorld } from "./testing/cli-world.ts";

/** For a busy machine; a good run never comes near it. */
const patient = { timeout: 15_000 };

const settings = `description: From a file
selector:
  - { key: site, operator: in, values: [fra, ams] }
log_level: warn
limits: { memory_mib: 512, cpu_cores: 1.5 }
`;

async function namesOf({ server, admin }: CliWorld): Promise<readonly string[]> {
  const { pipelines } = await server
    .client(PipelineService, admin.token)
    .listPipelines({ environmentId: admin.environmentId });
  return pipelines.map(({ name, deployedVersion }) => `${name} ${deployedVersion}`);
}

/** Hosts that are connected, by their names. */
async function connectAgents(
  world: CliWorld,
  stack: AsyncDisposableStack,
  names: readonly string[],
): Promise<readonly FakeAgent[]> {
  const agents: FakeAgent[] = [];
  for (const name of names) {
    const agent = stack.use(new FakeAgent(world.server.server.agentUrl, name));
    await agent.enroll(world.admin.enrollmentToken, name);
    await agent.connect();
    agent.heartbeat();
    const beat = setInterval(() => agent.heartbeat(), 1_000);
    stack.defer(() => clearInterval(beat));
    agents.push(agent);
  }
  await expect
    .poll(async () => {
      const listed = (await world.cli(["nodes", "list", "-o", "json"])).json as {
        status: string;
      }[];
      return listed.map(({ status }) => status);
    }, patient)
    .toEqual(names.map(() => "healthy"));
  return agents;
}

describe("apply", () => {
  test("makes a folder's pipelines with their settings, and then has nothing to do", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write, folder } = world;
    await write("web.yaml", configText());
    await write("web.vectorflow.yaml", settings);
    await write("Audit log.yaml", configText("syslog"));
    await write("notes.txt", "not a pipeline");
    const dry = await cli(["pipelines", "apply", "-f", folder, "--dry-run"]);
    expect(dry).toMatchObject({ code: 3, stderr: "notes.txt is no .yaml file and was ignored\n" });
    expect(dry.stdout).toContain("+ create web");
    expect(await namesOf(world)).toEqual([]);
    const applied = await cli(["pipelines", "apply", "-f", folder, "-o", "json"]);
    expect(applied.code).toBe(0);
    expect(applied.json).toMatchObject({
      result: "applied",
      outcomes: [
        { pipeline: "Audit log", result: "created", version: null },
        { pipeline: "web", result: "created" },
      ],
    });
    expect(await namesOf(world)).toEqual(["Audit log 0", "web 0"]);
    const got = await cli(["pipelines", "get", "WEB", "-o", "json"]);
    expect(got.json).toMatchObject({
      yaml: configText(),
      settings: {
        description: "From a file",
        selector: [{ key: "site", operator: "in", values: ["fra", "ams"] }],
        log_level: "warn",
        limits: { memory_mib: 512, cpu_cores: 1.5 },
      },
    });
    expect((await cli(["pipelines", "diff", "-f", folder])).code).toBe(0);
    expect((await cli(["pipelines", "apply", "-f", folder, "--dry-run"])).code).toBe(0);
  });

  test("changes nothing when one text of a folder has an error", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    await world.write("good.yaml", configText());
    await world.write("bad.yaml", configText().replace("inputs: [in]", "inputs: [nowhere]"));
    const refused = await world.cli(["pipelines", "apply", "-f", world.folder, "--deploy"]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("nowhere");
    expect(refused.stdout).toContain("bad: there are errors, and nothing was changed");
    expect(await namesOf(world)).toEqual([]);
  });

  test.each([
    ["diff", "-f"],
    ["apply", "--dry-run", "-f"],
    ["apply", "--dry-run", "--deploy", "-f"],
    ["apply", "-f"],
    ["apply", "--deploy", "--wait", "0", "-f"],
  ])("names what a deployed text misses by now, although it stays: %s %s", async (...args) => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write } = world;
    await cli(["secrets", "set", "host"], { stdin: "example.com" });
    const path = await write(
      "web.yaml",
      configText().replace(
        "type: blackhole",
        "type: http\n    uri: https://SECRET[host]/\n    encoding: { codec: json }",
      ),
    );
    const apply = ["pipelines", "apply", "-f", path, "--deploy", "--wait", "0"];
    expect(await cli(apply)).toMatchObject({ code: 0 });
    expect(await cli(["pipelines", ...args, path])).toMatchObject({ code: 0 });
    await cli(["secrets", "delete", "host", "--yes", "--in-use"]);
    const refused = await cli(["pipelines", ...args, path]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(
      /error .*host[^]*web: there are errors, and nothing was changed/,
    );
  });

  test("diff shows what would change, in the text and for the hosts", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write } = world;
    const path = await write("web.yaml", configText());
    await cli(["pipelines", "apply", "-f", path, "--deploy"]);
    await write("web.yaml", configText("syslog"));
    const diff = await cli(["pipelines", "diff", "-f", path]);
    expect(diff.code).toBe(3);
    expect(diff.stdout).toContain("~ update web: text");
    expect(diff.stdout).toContain("-    format: json");
    expect(diff.stdout).toContain("+    format: syslog");
    expect(diff.stdout).toContain("~ in changed");
    const json = await cli(["pipelines", "diff", "-f", path, "-o", "json"]);
    expect(json.json).toMatchObject({
      result: "differs",
      steps: [{ pipeline: "web", changes: [{ component: "in", change: "changed" }] }],
    });
  });

  test("prunes only when told, and only after somebody confirmed", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write, folder } = world;
    await write("keep.yaml", configText());
    const old = await write("old.yaml", configText());
    await cli(["pipelines", "apply", "-f", folder, "--deploy"]);
    await rm(old);
    const left = await cli(["pipelines", "apply", "-f", folder]);
    expect(left).toMatchObject({ code: 0 });
    expect(left.stdout).toContain("? old (version 1 is deployed) has no file");
    const prune = ["pipelines", "apply", "-f", folder, "--prune"];
    expect((await cli([...prune, "--dry-run"])).code).toBe(3);
    expect(await cli(prune)).toMatchObject({ code: 2 });
    expect(await cli(prune, { answer: "n" })).toMatchObject({ code: 1 });
    expect(await namesOf(world)).toEqual(["keep 1", "old 1"]);
    expect(await cli(prune, { answer: "y" })).toMatchObject({ code: 0 });
    expect(await namesOf(world)).toEqual(["keep 1"]);
    const { entries } = await world.server
      .client(AuditService, world.admin.token)
      .listAuditEntries({});
    expect(entries.map(({ action }) => action).slice(0, 2)).toEqual([
      "pipeline.deleted",
      "pipeline.undeployed",
    ]);
    // A wrong path is no wish for nothing.
    await rm(join(folder, "keep.yaml"));
    expect(await cli([...prune, "--yes"])).toMatchObject({ code: 2 });
    expect(await namesOf(world)).toEqual(["keep 1"]);
  });

  test.each(["old.YAML", "old.toml", "OLD.json", "sub/other.yaml"])(
    "prunes nothing while %s may have been meant",
    async (file) => {
      await using world = await startCliWorld(inject("templateUrl"));
      const { cli, write, folder } = world;
      await write("keep.yaml", configText());
      const old = await write("old.yaml", configText());
      await cli(["pipelines", "apply", "-f", folder]);
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await rename(old, join(folder, file));
      for (const args of [["apply", "--yes"], ["apply", "--dry-run"], ["diff"]]) {
        const refused = await cli(["pipelines", ...args, "-f", folder, "--prune"]);
        expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(file) });
      }
      expect(await namesOf(world)).toEqual(["keep 0", "old 0"]);
      // What is no pipeline's stays possible beside them.
      await rename(join(folder, file), join(folder, "readme.txt"));
      await cli(["pipelines", "apply", "--yes", "-f", folder, "--prune"]);
      expect(await namesOf(world)).toEqual(["keep 0"]);
    },
  );

  test("refuses a save over somebody else's, and shows both sides", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write } = world;
    const path = await write("web.yaml", configText());
    await cli(["pipelines", "apply", "-f", path]);
    const { revision } = (await cli(["pipelines", "get", "web", "-o", "json"])).json as {
      revision: string;
    };
    await write("web.yaml", configText("syslog"));
    await cli(["pipelines", "apply", "-f", path]);
    const mine = configText().replace("blackhole", "console\n    encoding: { codec: json }");
    await write("web.yaml", mine);
    const stale = await cli(["pipelines", "apply", "-f", path, "--revision", revision]);
    expect(stale.code).toBe(1);
    expect(stale.stderr).toContain("was saved by Admin after revision");
    expect(stale.stderr).toContain("-    format: syslog");
    expect(stale.stderr).toContain("+    type: console");
    const kept = await cli(["pipelines", "export", "web"]);
    expect(kept.stdout).toBe(configText("syslog"));
  });

  test("goes by the server's name where a file's differs by case, and says so", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write, folder } = world;
    const path = await write("web.yaml", configText());
    await cli(["pipelines", "apply", "-f", path]);
    await rename(path, join(folder, "Web.yaml"));
    const same = await cli(["pipelines", "diff", "-f", folder]);
    expect(same.code).toBe(0);
    expect(same.stdout).toMatch(/^= unchanged web\n +\S+Web\.yaml names it Web: the name on the/);
    await write("Web.yaml", configText("syslog"));
    const changed = await cli(["pipelines", "apply", "-f", folder, "-o", "json"]);
    const web = { pipeline: "web" };
    expect(changed.json).toMatchObject({ steps: [web], outcomes: [{ ...web, result: "updated" }] });
  });

  test("takes what export wrote as no change", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    const { cli, write, folder } = world;
    const path = await write("web.yaml", configText());
    await write("web.vectorflow.yaml", settings);
    await cli(["pipelines", "apply", "-f", path]);
    const copy = join(folder, "copy");
    const exported = await cli(["pipelines", "export", "--dir", copy]);
    expect(exported.stdout).toBe(`${join(copy, "web.yaml")}\n`);
    expect(await readFile(join(copy, "web.yaml"), "utf8")).toBe(configText());
    expect((await cli(["pipelines", "diff", "-f", copy])).code).toBe(0);
  });

  test("moves a deployed pipeline off hosts only with --allow-stops", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { cli, write } = world;
    const [agent] = await connectAgents(world, stack, ["ams"]);
    const path = await write("web.yaml", configText());
    const deployed = await cli(["pipelines", "apply", "-f", path, "--deploy"]);
    expect(deployed).toMatchObject({ code: 0 });
    await write("web.vectorflow.yaml", "selector:\n  - { key: site, operator: exists }\n");
    const refused = await cli(["pipelines", "apply", "-f", path]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("would stop pipelines on ams: give --allow-stops");
    expect(agent?.held.size).toBe(1);
    expect(await cli(["pipelines", "apply", "-f", path, "--allow-stops"])).toMatchObject({
      code: 0,
    });
    await expect.poll(() => agent?.held.size, patient).toBe(0);
  });
});

describe("a deploy", () => {
  test("shows what it changes, waits for every host, and can be taken back", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { cli, write } = world;
    const agents = await connectAgents(world, stack, ["ams", "fra"]);
    const path = await write("web.yaml", configText());
    await cli(["pipelines", "apply", "-f", path]);
    const dry = await cli(["pipelines", "deploy", "web", "--dry-run"]);
    expect(dry).toMatchObject({ code: 3 });
    expect(dry.stdout).toContain("+ in added\n+ out added\nhosts start it\nfor 2 hosts\n");
    const deployed = await cli(["pipelines", "deploy", "web", "--reason", "first", "-o", "json"]);
    expect(deployed.code).toBe(0);
    expect(deployed.json).toMatchObject({
      result: "deployed",
      version: 1,
      rollout: {
        ok: true,
        hosts: [
          { node: "ams", outcome: "healthy" },
          { node: "fra", outcome: "healthy" },
        ],
      },
    });
    expect(agents.map((agent) => agent.held.size)).toEqual([1, 1]);
    const shown = await cli(["pipelines", "get", "web"]);
    expect(shown.stdout).toMatch(
      /^web: version 1\n[^]*HOST +STATE[^]*\nams +running +healthy +1 +1\n/,
    );
    expect((await cli(["pipelines", "list"])).stdout).toMatch(/\nweb +deployed +1 /);
    const again = await cli(["pipelines", "deploy", "web", "-o", "json"]);
    expect([again.code, again.json]).toMatchObject([0, { result: "unchanged", version: 1 }]);
    await write("web.yaml", configText("syslog"));
    expect(await cli(["pipelines", "apply", "-f", path, "--deploy"])).toMatchObject({ code: 0 });
    const rollback = ["pipelines", "rollback", "web", "--version", "1"];
    const back = await cli([...rollback, "-o", "json"]);
    expect([back.code, back.json]).toMatchObject([
      0,
      { from_version: 1, version: 3, draft_lost: false, rollout: { ok: true } },
    ]);
    // Also when only a comment is.
    await write("web.yaml", `# Not deployed yet.\n${configText()}`);
    await cli(["pipelines", "apply", "-f", path]);
    const asked = await cli(rollback);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    expect(asked.stdout).toContain("+# Not deployed yet.\n");
    expect(await cli(rollback, { answer: "n" })).toMatchObject({ code: 1 });
    expect((await cli(["pipelines", "export", "web"])).stdout).toMatch(/^# Not deployed/);
    const lost = await cli([...rollback, "--yes", "-o", "json"]);
    expect([lost.code, lost.json]).toMatchObject([0, { version: 4, draft_lost: true }]);
    expect((await cli(["pipelines", "export", "web"])).stdout).toBe(configText());
    expect(await cli(["pipelines", "undeploy", "web"])).toMatchObject({ code: 2 });
    expect(await cli(["pipelines", "undeploy", "web", "--yes"])).toMatchObject({ code: 0 });
    await expect.poll(() => agents.map((agent) => agent.held.size), patient).toEqual([0, 0]);
  });

  test("fails with the reason of each host that fails", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { cli, write } = world;
    const [, fra] = await connectAgents(world, stack, ["ams", "fra"]);
    if (fra === undefined) throw new Error("no agent");
    fra.behaviour = { phases: [ApplyPhase.RECEIVED, ApplyPhase.FAILED] };
    const path = await write("web.yaml", configText());
    const failed = await cli(["pipelines", "apply", "-f", path, "--deploy", "-o", "json"]);
    expect(failed.code).toBe(1);
    expect(failed.json).toMatchObject({
      result: "failed",
      outcomes: [{ pipeline: "web", result: "created", version: 1 }],
      rollouts: [
        {
          pipeline: "web",
          ok: false,
          hosts: [
            { node: "ams", outcome: "healthy" },
            { node: "fra", outcome: "failed", text: expect.stringContaining("failed, ") },
          ],
        },
      ],
    });
    // What is deployed and does not run is no success the next time either.
    const again = await cli(["pipelines", "apply", "-f", path, "--deploy"]);
    expect(again.code).toBe(1);
  });

  test("fails in time when a host is away, unless it may be", async () => {
    await using world = await startCliWorld(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { cli, write, server, admin } = world;
    await connectAgents(world, stack, ["ams"]);
    const away = stack.use(new FakeAgent(server.server.agentUrl, "fra"));
    await away.enroll(admin.enrollmentToken, "fra");
    const path = await write("web.yaml", configText());
    const late = await cli(["pipelines", "apply", "-f", path, "--deploy", "--wait", "1"]);
    expect(late.code).toBe(1);
    expect(late.stdout).toMatch(/[01] of 2 hosts run it — failed\n(.*\n)*  fra is not connected/);
    const skipped = await cli(["pipelines", "deploy", "web", "--skip-unreachable", "-o", "json"]);
    expect([skipped.code, skipped.json]).toMatchObject([
      0,
      { rollout: { ok: true, hosts: [{ node: "ams" }, { outcome: "unreachable" }] } },
    ]);
  });
});
