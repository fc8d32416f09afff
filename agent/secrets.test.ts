import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { createLogger } from "#common/logger.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { freePort } from "./testing/free-port.ts";
import { applied, slow, startAgent, wanted } from "./testing/agent-harness.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";

/** A pipeline that writes its own strings to a file, so that one can see what Vector made of them. */
const told = (file: string, ...lines: readonly string[]): string => `sources:
  in:
    type: demo_logs
    format: shuffle
    interval: 0.05
    lines: ${JSON.stringify(lines)}
sinks:
  out:
    type: file
    inputs: [in]
    path: ${file}
    encoding: {codec: json}
`;

async function outputFolder() {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-output-"));
  return {
    file: join(folder, "out.json"),
    async messages(): Promise<ReadonlySet<string>> {
      const text = await readFile(join(folder, "out.json"), "utf8").catch(() => "");
      const lines = text.split("\n").filter((line) => line.endsWith("}"));
      return new Set(lines.map((line) => (JSON.parse(line) as { message: string }).message));
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function everyFile(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg/+=\n-----END PRIVATE KEY-----\n";

describe.concurrent("secrets on a host", () => {
  test("any value arrives unchanged, within longer strings and lists too (A13)", async () => {
    await using output = await outputFolder();
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    const values = {
      quotes: `it's "quoted" \\ and \${HOME} $$ # x: [y]`,
      pem,
      "name.with-dots": "dotted value",
      large: "L".repeat(32 * 1024),
    };
    const lines = [
      "SECRET[quotes]",
      "pem: SECRET[pem].",
      "a SECRET[name.with-dots] b",
      "SECRET[large]",
    ];
    plane.want(wanted(1, told(output.file, ...lines), { secrets: values }));
    await applied(plane, 1);
    await vi.waitFor(
      async () =>
        expect(await output.messages()).toEqual(
          new Set([values.quotes, `pem: ${pem}.`, "a dotted value b", values.large]),
        ),
      slow,
    );
  });

  test("no value and no token is in a file, an environment, a command line or a log", async () => {
    await using output = await outputFolder();
    await using plane = new FakeControlPlane();
    const logged: string[] = [];
    const log = createLogger((line) => logged.push(line), "debug");
    await using agent = await startAgent(await plane.start(), { deps: { log } });
    const secret = "correct horse battery staple";
    const text = told(output.file, "SECRET[word]");
    plane.want(wanted(1, text, { secrets: { word: secret } }));
    const pid = await applied(plane, 1);
    // Vector quotes the value of a field that it cannot use.
    const broken = text.replace("interval: 0.05", "interval: SECRET[word]");
    plane.want(wanted(2, broken, { secrets: { word: secret } }));
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.FAILED), slow);
    const files = await Promise.all(
      (await everyFile(agent.folder)).map((path) => readFile(path, "utf8")),
    );
    const { stdout: processes } = await promisify(execFile)("ps", ["axww", "-o", "args"]);
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    const said = JSON.stringify(
      plane.reports.map(({ reason, problems, logTail }) => [
        reason,
        problems.map((p) => p.message),
        logTail,
      ]),
    );
    const lines = plane.lines.map(({ text: line }) => line);
    const everything = [...files, processes, environment, said, ...lines, ...logged].join("\n");
    expect(files.length).toBeGreaterThan(3);
    expect(everything).not.toContain(secret);
    expect([processes, environment, said, ...lines, ...logged].join("\n")).not.toContain(
      "vfn_token",
    );
    expect(plane.last("p1")?.reason).toContain("[secret word]");
  });

  test("a rotated value restarts what uses it, and nothing else", async () => {
    await using output = await outputFolder();
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    const port = await freePort();
    const text =
      `${told(output.file, "SECRET[word]")}  web_out:\n    type: blackhole\n    inputs: [web]\n`.replace(
        "sinks:",
        `  web:\n    type: http_server\n    address: 127.0.0.1:${port}\nsinks:`,
      );
    plane.want(wanted(1, text, { secrets: { word: "first value" } }));
    const pid = await applied(plane, 1);
    await vi.waitFor(async () => expect(await output.messages()).toContain("first value"), slow);
    // One connection to the other source, before and after.
    const socket = connect(port, "127.0.0.1").setEncoding("utf8");
    await once(socket, "connect");
    const post = async (): Promise<string> => {
      socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi");
      const [answer] = (await once(socket, "data")) as [string];
      return answer.split("\r\n")[0] ?? "";
    };
    expect(await post()).toContain("200");
    const rotated = { secrets: { word: "second value" }, hash: "another" };
    const before = Date.now();
    plane.want(wanted(2, text, rotated));
    await vi.waitFor(async () => expect(await output.messages()).toContain("second value"), slow);
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(await applied(plane, 2)).toBe(pid);
    expect(await post()).toContain("200");
    socket.destroy();
  });

  test("a missing secret is refused by name before Vector sees it, and what runs goes on", async () => {
    await using output = await outputFolder();
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, told(output.file, "plain")));
    const pid = await applied(plane, 1);
    plane.want(wanted(2, told(output.file, "SECRET[gone]")));
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.FAILED), slow);
    expect(plane.last("p1")).toMatchObject({ state: PipelineState.HELD, pid });
    expect(plane.last("p1")?.problems).toMatchObject([{ componentId: "in", field: "lines" }]);
    expect(plane.last("p1")?.reason).toContain('secret "gone"');
  });

  test("sealed state survives the server; with another key it is asked for again", async () => {
    await using output = await outputFolder();
    await using plane = new FakeControlPlane();
    const server = await plane.start();
    await using agent = await startAgent(server);
    const secrets = { word: "kept across reboots" };
    plane.want(wanted(1, told(output.file, "SECRET[word]"), { secrets }));
    await applied(plane, 1);
    await agent.stop();
    plane.stop();
    await rm(output.file, { force: true });
    const again = await startAgent(server, { dataDir: agent.folder });
    await vi.waitFor(async () => expect(await output.messages()).toContain(secrets.word), slow);
    await again.stop();
    // The identity is lost, and with it the key: enrolled anew, the host has another one.
    await writeFile(join(agent.folder, "identity.json"), "{}");
    await plane.start();
    plane.reports.length = 0;
    const sent = plane.bodiesSent;
    await using _third = await startAgent(server, { dataDir: agent.folder });
    await applied(plane, 1);
    expect(plane.bodiesSent).toBe(sent + 1);
    expect(plane.enrolments).toBe(2);
  });
});

describe.concurrent("certificates on a host", () => {
  const certificate = (name: string, filename: string, content: string) => ({
    name,
    filename,
    content,
  });

  test("have their own path each, readable by the owner only, and go when nothing uses them (A12)", async () => {
    await using output = await outputFolder();
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start());
    const two = [
      certificate("one", "../../same.pem", "content one"),
      certificate("two", "../../same.pem", "content two"),
    ];
    plane.want(wanted(1, told(output.file, "1 CERT[one]", "2 CERT[two]"), { certificates: two }));
    const pid = await applied(plane, 1);
    const paths = async (): Promise<readonly string[]> =>
      [...(await output.messages())].toSorted().map((message) => message.slice(2));
    await vi.waitFor(async () => expect(await paths()).toHaveLength(2), slow);
    const [first = "", second = ""] = await paths();
    const folder = join(agent.folder, "pipelines/p1/certs/");
    for (const [path, content] of [
      [first, "content one"],
      [second, "content two"],
    ] as const) {
      expect(path.startsWith(folder)).toBe(true);
      expect(await readFile(path, "utf8")).toBe(content);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
    // Renewed: the components that use it get it by a reload, and the old file goes.
    const renewed = [certificate("one", "x", "content three")];
    const text = told(output.file, "3 CERT[one]");
    plane.want(wanted(2, text, { certificates: renewed }));
    expect(await applied(plane, 2)).toBe(pid);
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1), slow);
    expect(await readFile(join(folder, (await readdir(folder))[0] ?? ""), "utf8")).toBe(
      "content three",
    );
  });

  test("changed bytes alone are applied, without a restart (A13)", async () => {
    await using output = await outputFolder();
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    const text = told(output.file, "CERT[ca]");
    const version = (n: number, content: string) =>
      wanted(n, text, { hash: content, certificates: [certificate("ca", "ca.pem", content)] });
    plane.want(version(1, "old bytes"));
    const pid = await applied(plane, 1);
    await vi.waitFor(async () => expect((await output.messages()).size).toBe(1), slow);
    plane.want(version(2, "new bytes"));
    expect(await applied(plane, 2)).toBe(pid);
    await vi.waitFor(async () => expect((await output.messages()).size).toBe(2), slow);
  });
});
