import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { FieldViolations } from "../errors.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { compileFilled } from "../configuration/compile-filled.ts";
import { placeholdersIn } from "../configuration/placeholders.ts";
import { builtInTemplates, type BuiltInTemplate } from "./built-in-templates.ts";
import { fillTemplate } from "./fill-template.ts";

const root = join(import.meta.dirname, "../..");
const catalogue = loadCatalogue();

function compiled(template: BuiltInTemplate) {
  const violations = new FieldViolations();
  const text = fillTemplate(template, {}, catalogue, violations);
  violations.throwIfAny();
  const secretNames = new Set(
    template.parameters.filter(({ type }) => type === "secret").map((secret) => secret.default),
  );
  return compileFilled(text, { secretNames, certificateNames: new Set() }, loadVrl);
}

describe("templates that ship", () => {
  test("are eight, with names and ids of their own and a category", () => {
    expect(builtInTemplates).toHaveLength(8);
    for (const field of ["id", "name"] as const) {
      expect(new Set(builtInTemplates.map((template) => template[field])).size).toBe(8);
    }
    for (const { id, category } of builtInTemplates) {
      expect(id).toMatch(/^builtin-[a-z0-9-]+$/);
      expect(category).not.toBe("");
    }
  });

  test.each(builtInTemplates)("$name has no problem with its defaults", (template) => {
    const names = template.parameters.map(({ name }) => name);
    expect(placeholdersIn(template.yaml, "PARAM").toSorted()).toEqual(names.toSorted());
    const { problems, configYaml } = compiled(template);
    expect(problems).toEqual([]);
    expect(configYaml).not.toContain("PARAM[");
  });

  test("are taken by Vector", async () => {
    const simulated = join(root, "agent/simulator/vector-sim");
    const vector = process.env["VECTOR_BIN"] ?? simulated;
    // The real one at hand may be built with fewer components; the simulated one validates all.
    const { stdout } = await promisify(execFile)(vector, ["list"]);
    const types = new Set(Array.from(stdout.matchAll(/^- (\w+)/gm), ([, type = ""]) => type));
    const able = builtInTemplates.filter(
      ({ yaml }) =>
        vector === simulated ||
        Array.from(yaml.matchAll(/^ {4}type: (\w+)/gm)).every(([, type = ""]) => types.has(type)),
    );
    expect(able.length).toBeGreaterThanOrEqual(3);
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-templates-"));
    try {
      const paths = await Promise.all(
        able.map(async (template) => {
          const path = join(folder, `${template.id}.yaml`);
          const config = compiled(template).configYaml ?? "";
          // Agents answer for these; validation does not ask for them.
          await writeFile(path, config.replaceAll(/SECRET\[[^\]]+\]/g, "x"));
          return path;
        }),
      );
      const args = ["validate", "--no-environment", ...paths];
      const { stdout: report } = await promisify(execFile)(vector, args);
      expect(report).toContain("Validated");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
