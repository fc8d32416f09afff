import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { UsageError } from "../failures.ts";
import { changesAnything, planApply, type CurrentPipeline } from "./plan.ts";
import { findLookalikes, readDeclaration, type Declaration } from "./read-folder.ts";
import { parseSettings, renderSettings } from "./settings.ts";

/** Calls with a folder that has these files. */
async function withFiles<T>(
  files: Readonly<Record<string, string | Buffer>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-folder-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const declarationAt = (path: string): Promise<Declaration> =>
  readDeclaration(path, undefined, async () => Buffer.alloc(0));

const read = (files: Parameters<typeof withFiles>[0], path = "."): Promise<Declaration> =>
  withFiles(files, (folder) => declarationAt(join(folder, path)));

const problemsOf = async (files: Parameters<typeof read>[0], path?: string): Promise<string> => {
  const error = await read(files, path).catch((thrown: unknown) => thrown);
  if (error instanceof UsageError) return error.message;
  throw new Error("it was accepted");
};

describe("a folder", () => {
  test("has a pipeline for each file, with the settings beside it", async () => {
    const { pipelines, ignored } = await read({
      "web.yaml": "a: 1\n",
      "Audit log.yml": "b: 1\n",
      "Audit log.vectorflow.yaml": "log_level: warn\n",
      ".hidden.yaml": "c: 1\n",
      "vector.toml": "",
    });
    expect(pipelines).toMatchObject([
      { name: "Audit log", yaml: "b: 1\n", settings: { logLevel: "warn" } },
      { name: "web", yaml: "a: 1\n", settings: {} },
    ]);
    expect(ignored).toEqual(["vector.toml"]);
  });

  test("tells of what may have been meant as a pipeline, and was ignored", async () => {
    const files = {
      "a.yaml": "",
      "b.YAML": "",
      "c.toml": "",
      "notes.txt": "",
      "sub/deep/d.yml": "",
      "other/readme.md": "",
    };
    const lookalikes = await withFiles(files, async (folder) =>
      findLookalikes(folder, await declarationAt(folder)),
    );
    expect(lookalikes).toEqual([
      { path: "b.YAML", name: "b", isBelow: false },
      { path: "c.toml", name: "c", isBelow: false },
      { path: join("sub", "deep", "d.yml"), name: "d", isBelow: true },
    ]);
  });

  test("is refused with everything that is wrong in it", async () => {
    const problems = await problemsOf({
      "a.yaml": "",
      "A.yml": "",
      "-x.yaml": "",
      "gone.vectorflow.yaml": "",
      "bytes.yaml": Buffer.from([0xff, 0xfe]),
      "long.yaml": "a".repeat(5_000_001),
      "typo.yaml": "",
      "typo.vectorflow.yaml": "loglevel: info\n",
    });
    expect(problems).toContain("A.yml and a.yaml are for the same pipeline");
    expect(problems).toContain("-x is no name of a pipeline");
    expect(problems).toContain("gone.vectorflow.yaml has settings of a pipeline that has no file");
    expect(problems).toContain("bytes.yaml is not UTF-8");
    expect(problems).toContain("long.yaml has 5000001 bytes; a pipeline has at most 5 MB");
    expect(problems).toContain("typo.vectorflow.yaml: loglevel is unknown");
  });

  test("without a pipeline is no wish for none", async () => {
    expect(await problemsOf({ "readme.md": "" })).toContain("has no .yaml files");
    expect(await problemsOf({}, "missing")).toContain("cannot be read");
    expect(await problemsOf({ "a.vectorflow.yaml": "" }, "a.vectorflow.yaml")).toContain(
      "name the configuration beside it",
    );
  });
});

describe("a settings file", () => {
  test("is read back as it was written", () => {
    const settings = {
      description: "Of the web",
      selector: [
        { key: "site", operator: "in" as const, values: ["fra", "007"] },
        { key: "canary", operator: "not_exists" as const, values: [] },
      ],
      logLevel: "debug",
      limits: { memoryMib: 512, cpuCores: 0.5 },
    };
    expect(parseSettings(renderSettings(settings))).toEqual({ kind: "read", settings });
    expect(parseSettings("")).toEqual({ kind: "read", settings: {} });
    expect(parseSettings("selector: []")).toEqual({ kind: "read", settings: { selector: [] } });
  });

  test.each([
    ["- a", "the file must have"],
    ["description: 5", "description must be a text"],
    ["log_level: loud", "log_level must be one of"],
    ["limits: 5", "limits must have memory_mib, cpu_cores"],
    ["limits: { memory_mib: 1.5 }", "whole number of mebibytes"],
    ["limits: { cpu_cores: -1 }", "limits.cpu_cores must be a number"],
    ["limits: { memory: 5 }", "limits.memory is unknown"],
    ["selector: { site: fra }", "selector must be a list"],
    ["selector: [{ key: a, operator: like }]", "selector[0].operator must be one of"],
    ["selector: [{ key: a, operator: equals, values: [7] }]", "put quotes around numbers"],
    ["a: 1\na: 2", "the key a is there twice"],
    ["a: [", "Flow sequence"],
  ])("with %j is refused", (text, message) => {
    const parsed = parseSettings(text);
    expect(parsed.kind === "unreadable" ? parsed.problems.join("\n") : "").toContain(message);
  });
});

describe("the plan", () => {
  const current: CurrentPipeline = {
    id: "1",
    name: "Web",
    yaml: "a",
    revision: "3",
    settings: {
      description: "",
      selector: [],
      logLevel: "info",
      limits: { memoryMib: 0, cpuCores: 0 },
    },
    selectorEtag: "e",
    deployedVersion: 2,
    pausedVersion: 0,
    changed: false,
  };
  const declared = { name: "web", path: "web.yaml", yaml: "a", settings: {} };

  test.each([
    ["nothing differs", {}, {}, false, "unchanged", [], false],
    ["the text differs", { yaml: "b" }, {}, true, "update", ["text"], true],
    [
      "only a setting differs",
      { settings: { logLevel: "warn" } },
      {},
      true,
      "update",
      ["log_level"],
      false,
    ],
    [
      "all settings differ",
      {
        settings: {
          description: "x",
          selector: [{ key: "a", operator: "exists" as const, values: [] }],
          logLevel: "warn",
          limits: { memoryMib: 64, cpuCores: 0 },
        },
      },
      {},
      false,
      "update",
      ["description", "selector", "log_level", "limits"],
      false,
    ],
    ["it was never deployed", {}, { deployedVersion: 0 }, true, "unchanged", [], true],
    ["its draft differs from what is deployed", {}, { changed: true }, true, "unchanged", [], true],
    ["that, without deploy", {}, { changed: true }, false, "unchanged", [], false],
    [
      "it is paused, and its text differs",
      { yaml: "b" },
      { deployedVersion: 0, pausedVersion: 2 },
      true,
      "update",
      ["text"],
      false,
    ],
  ])("when %s", (_name, file, server, deploy, kind, parts, deploys) => {
    const { steps } = planApply([{ ...declared, ...file }], [{ ...current, ...server }], [], {
      deploy,
      endPauses: false,
    });
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({ kind, deploy: deploys, ...(kind === "update" && { parts }) });
  });

  test("deploys what is paused only when that is to end", () => {
    const paused = { ...current, deployedVersion: 0, pausedVersion: 2 };
    const { steps } = planApply([declared], [paused], [], { deploy: true, endPauses: true });
    expect(steps).toMatchObject([{ kind: "unchanged", deploy: true }]);
  });

  test("creates what is missing, and only names what has no file", () => {
    const extra = { id: "2", name: "old", deployedVersion: 1, pausedVersion: 0 };
    const plan = planApply([declared], [current], [current, extra], {
      deploy: false,
      endPauses: false,
    });
    expect(plan.notInFolder).toEqual([extra]);
    expect([changesAnything(plan, false), changesAnything(plan, true)]).toEqual([false, true]);
    const created = planApply([declared], [], [extra], { deploy: true, endPauses: false });
    expect(created.steps).toMatchObject([{ kind: "create", deploy: true }]);
    expect(changesAnything(created, false)).toBe(true);
  });
});
