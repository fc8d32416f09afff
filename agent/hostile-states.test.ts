import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { ApplyPhase } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { entryOf, type BodyInit, type HostileSession } from "./testing/hostile-plane.ts";
import {
  hostileSuite,
  pipeline,
  slow,
  victim,
  type HostileCase,
  type Stage,
} from "./testing/hostile-suite.ts";

const deceptive = "\0\x07\x1b[2J\r\u202Eevil\u2066";

/** Sends a state and expects the agent to ignore it as a whole. */
function fenced(name: string, send: HostileCase["act"], reason: RegExp): HostileCase {
  return {
    name,
    act: send,
    check: async (_stage, session) => {
      await vi.waitFor(() => expect(session.of("fenced").at(-1)?.reason).toMatch(reason), slow);
    },
  };
}

const folders = async ({ folder }: Stage) => readdir(join(folder, "data/pipelines"));

/** Sends a body that must not be used; the log of its pipeline says why. */
function refusedBody(
  name: string,
  body: BodyInit,
  reason: RegExp,
  digest?: Uint8Array,
): HostileCase {
  return {
    name,
    act: (_session, { plane }) => {
      const entry = entryOf(body, digest === undefined ? {} : { bodySha256: digest });
      plane.sendState([victim, body], { manifest: [entryOf(victim), entry] });
    },
    check: async ({ plane }, session) => {
      await vi.waitFor(
        () =>
          expect(session.of("logBatch").flatMap(({ lines }) => lines)).toContainEqual(
            expect.objectContaining({
              pipelineId: body.pipelineId,
              text: expect.stringMatching(reason) as string,
            }),
          ),
        slow,
      );
      expect(plane.last(body.pipelineId ?? "")?.phase).not.toBe(ApplyPhase.APPLIED);
    },
  };
}

/** A configuration that arrives and that Vector never runs. */
function failing(name: string, configYaml: string): HostileCase {
  const id = name.replaceAll(/[^a-z]/g, "-");
  return {
    name: `a configuration that is ${name} fails alone`,
    act: (_session, { plane }) => plane.sendState([victim, pipeline(id, { configYaml })]),
    check: async ({ plane }) => {
      await vi.waitFor(() => expect(plane.last(id)?.phase).toBe(ApplyPhase.FAILED), slow);
      const { reason = "", problems = [] } = plane.last(id) ?? {};
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(4096);
      expect(problems.length).toBeLessThanOrEqual(50);
    },
  };
}

const certificate = (filename: string) => ({ name: "c", filename, content: Buffer.from("pem") });
const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
  .split("")
  .map((key, index) => `${key}: &${key} [${`*${"abcdefgh"[index]},`.repeat(9)}]`)
  .join("\n")}\nsources: {in: {type: demo_logs, format: json, x: *i}}\n`;

hostileSuite("a desired state", [
  fenced(
    "of an older generation is ignored",
    (_session, { plane }) => plane.sendState([], { generation: 0n }),
    /older backup/,
  ),
  fenced(
    "of another installation is ignored",
    (_session, { plane }) => plane.sendState([], { installationId: "other" }),
    /another installation/,
  ),
  fenced(
    "of no installation is ignored",
    (_session, { plane }) => plane.sendState([], { installationId: "" }),
    /another installation/,
  ),
  fenced(
    "of a generation beyond all others would fence honest servers off, and is ignored",
    (_session, { plane }) => plane.sendState([], { generation: 18_446_744_073_709_551_615n }),
    /no server can have come/,
  ),
  {
    ...fenced(
      "of ten thousand pipelines is ignored",
      (_session, { plane }) =>
        plane.sendState([], {
          manifest: Array.from({ length: 10_000 }, (_, index) => ({
            pipelineId: `many-${index}`,
            hash: "h",
          })),
        }),
      /10000 pipelines/,
    ),
    check: async (stage, session) => {
      await vi.waitFor(() => expect(session.of("fenced").at(-1)?.reason).toContain("10000"), slow);
      expect((await folders(stage)).filter((name) => name.startsWith("many"))).toEqual([]);
    },
  },
  {
    name: "that lists a pipeline twice counts the first time",
    act: (_session, { plane }) =>
      plane.sendState([victim], {
        manifest: [entryOf(victim), entryOf(victim, { hash: "another", version: 9 })],
      }),
    check: ({ plane }) => expect(plane.last("victim")?.effectiveVersion).toBe(1),
  },
  {
    name: "with path tricks for ids costs those pipelines",
    act: (_session, { plane }) => {
      const ids = ["../../escaped", "/etc/escaped", "..", ".", "", "a/b", "a\0b", "x".repeat(300)];
      plane.sendState([victim, ...ids.map((id) => pipeline(id)), pipeline("beside")]);
    },
    check: async (stage) => {
      await vi.waitFor(
        () => expect(stage.plane.last("beside")?.phase).toBe(ApplyPhase.APPLIED),
        slow,
      );
      for (const name of await folders(stage)) expect(name).toMatch(/^[\w-]+$/);
      expect(await readdir(stage.folder)).toEqual(["data"]);
    },
  },
  {
    name: "with names of control characters and a mebibyte is taken",
    act: (_session, { plane }) =>
      plane.sendState([victim], {
        manifest: [entryOf(victim, { name: deceptive + "x".repeat(1_048_576) })],
      }),
  },
  {
    name: "with a hash of a mebibyte costs that pipeline",
    act: (_session, { plane }) =>
      plane.sendState([victim, pipeline("hashed", { hash: "h".repeat(1_048_576) })]),
    check: async (stage) => {
      expect(stage.plane.last("victim")?.effectiveHash).toBe(victim.hash);
    },
  },
  {
    name: "without a hash for what runs lets it run",
    act: (_session, { plane }) =>
      plane.sendState([], { manifest: [entryOf(victim, { hash: "" })] }),
  },
  {
    name: "with the body of a pipeline that it does not list leaves nothing on the disk",
    act: (_session, { plane }) =>
      plane.sendState([victim, pipeline("unlisted")], { manifest: [entryOf(victim)] }),
    check: async (stage) => expect(await folders(stage)).not.toContain("unlisted"),
  },
  {
    name: "with the body of another hash than it lists uses none",
    act: (_session, { plane }) =>
      plane.sendState([victim, pipeline("swapped")], {
        manifest: [entryOf(victim), entryOf(pipeline("swapped"), { hash: "other" })],
      }),
    check: ({ plane }) => expect(plane.last("swapped")?.phase).not.toBe(ApplyPhase.APPLIED),
  },
  refusedBody(
    "with a body that does not match its digest costs that pipeline",
    pipeline("forged"),
    /its digest differs/,
    Buffer.alloc(32),
  ),
  refusedBody(
    "with half a digest costs that pipeline",
    pipeline("half-digest"),
    /its digest differs/,
    Buffer.alloc(5),
  ),
  {
    name: "of an older server, without digests, is taken",
    act: (_session, { plane }) => {
      const old = pipeline("of-old");
      plane.sendState([victim, old], {
        manifest: [entryOf(victim), entryOf(old, { bodySha256: Buffer.alloc(0) })],
      });
    },
    check: async ({ plane }) => {
      await vi.waitFor(() => expect(plane.last("of-old")?.phase).toBe(ApplyPhase.APPLIED), slow);
    },
  },
  ...[
    "../../escaped.pem",
    "/etc/escaped.pem",
    ".hidden",
    "a/b.pem",
    "",
    "a\0.pem",
    "x".repeat(300),
  ].map((name, index) => ({
    name: `with a certificate named ${JSON.stringify(name.slice(0, 20))} runs, and nothing leaves the folder`,
    act: (_session: HostileSession, { plane }: Stage) =>
      plane.sendState([victim, pipeline(`named-${index}`, { certificates: [certificate(name)] })]),
    check: async ({ plane, folder }: Stage) => {
      const id = `named-${index}`;
      await vi.waitFor(() => expect(plane.last(id)?.phase).toBe(ApplyPhase.APPLIED), slow);
      const files = await readdir(folder, { recursive: true });
      const certs = join("data/pipelines", id, "certs/");
      expect(files.filter((file) => file.startsWith(certs))).toHaveLength(1);
      expect(files.join()).not.toMatch(/escaped|hidden/);
    },
  })),
  refusedBody(
    "with two certificates of one name costs that pipeline",
    pipeline("twins", { certificates: [certificate("a.pem"), certificate("b.pem")] }),
    /two certificates are called c/,
  ),
  refusedBody(
    "with a configuration of nine megabytes costs that pipeline",
    pipeline("large", { configYaml: `# ${"x".repeat(9_000_000)}` }),
    /larger than 8 MB/,
  ),
  {
    ...fenced(
      "that never ends is bounded, and then ignored",
      (_session, { plane }) => {
        const huge = pipeline("huge", { configYaml: "x".repeat(1_000_000) });
        const { generation = 0n } = plane.state([]);
        const more = { generation, complete: false };
        for (let part = 0; part < 80; part++) plane.sendState([huge], more);
        plane.sendState([victim], { generation });
      },
      /too large together/,
    ),
  },
  {
    name: "that goes on in another generation begins anew",
    act: (_session, { plane }) => {
      plane.sendState([pipeline("torn")], { complete: false });
      plane.sendState([victim], { manifest: [entryOf(victim), entryOf(pipeline("torn"))] });
    },
    check: ({ plane }) => expect(plane.last("torn")?.phase).not.toBe(ApplyPhase.APPLIED),
  },
  {
    name: "a thousand times over is taken in turns",
    act: (_session, { plane }) => {
      for (let count = 0; count < 1000; count++) plane.sendState();
    },
  },
  {
    name: "with a log level that is none, or would be an option, runs",
    act: (_session, { plane }) =>
      plane.sendState([victim, pipeline("loud", { logLevel: "trace --config /etc/passwd\n" })]),
    check: async ({ plane }) => {
      await vi.waitFor(() => expect(plane.last("loud")?.phase).toBe(ApplyPhase.APPLIED), slow);
    },
  },
  {
    name: "with a configuration that is empty runs nothing else for it",
    act: (_session, { plane }) => plane.sendState([victim, pipeline("empty", { configYaml: "" })]),
    check: async ({ plane }) => {
      await vi.waitFor(() => expect(plane.last("empty")?.phase).toBe(ApplyPhase.APPLIED), slow);
    },
  },
  failing("a list", "- a\n- b\n"),
  failing("a bomb of aliases", bomb),
  failing("nested without end", "a: &a\n  b: *a\nsources: *a\n"),
  failing("nested a hundred thousand deep", "[".repeat(100_000)),
  failing("no text", "\0\x01\x02\ufffe"),
  failing(
    "full of control characters",
    `sources:\n  "${"\\u202E\\u0007".repeat(50)}": {type: nothing}\n`,
  ),
  failing(
    "of twenty thousand components",
    `sources:\n${Array.from({ length: 20_000 }, (_, index) => `  s${index}: {type: nothing}\n`).join("")}`,
  ),
]);
