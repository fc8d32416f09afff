import { isRecord } from "../graph.ts";
import type { VrlProgram } from "./vrl.ts";

type Path = readonly (string | number)[];

/** The VRL in the unit tests of a configuration: conditions on what comes out, and programs that make events. */
export function testPrograms(
  globalConfig: Readonly<Record<string, unknown>>,
): readonly VrlProgram[] {
  return listOf(globalConfig["tests"]).flatMap((test, at) => {
    if (!isRecord(test)) return [];
    const path = ["tests", at];
    const given = [
      ...(isRecord(test["input"]) ? [{ input: test["input"], path: [...path, "input"] }] : []),
      ...listOf(test["inputs"]).map((input, index) => ({
        input,
        path: [...path, "inputs", index],
      })),
    ];
    const expected = listOf(test["outputs"]).flatMap((output, index) =>
      (isRecord(output) ? listOf(output["conditions"]) : []).map((condition, place) => ({
        condition,
        path: [...path, "outputs", index, "conditions", place],
      })),
    );
    return [
      ...given.flatMap(({ input, path: place }) =>
        isRecord(input) && input["type"] === "vrl"
          ? program(input["source"], [...place, "source"])
          : [],
      ),
      ...expected.flatMap(({ condition, path: place }) => conditionProgram(condition, place)),
    ];
  });
}

function program(source: unknown, path: Path): readonly VrlProgram[] {
  return typeof source === "string"
    ? [{ component: undefined, path, source, condition: false, testInput: true }]
    : [];
}

function conditionProgram(value: unknown, path: Path): readonly VrlProgram[] {
  if (typeof value === "string") {
    return [{ component: undefined, path, source: value, condition: true }];
  }
  return isRecord(value) && value["type"] === "vrl" && typeof value["source"] === "string"
    ? [
        {
          component: undefined,
          path: [...path, "source"],
          source: value["source"],
          condition: true,
        },
      ]
    : [];
}

/** A place in a unit test that names a transform, or one of its outputs. */
export interface TestTarget {
  readonly path: Path;
  readonly id: string;
  readonly of: "input" | "output";
}

export function testTargets(
  globalConfig: Readonly<Record<string, unknown>>,
): readonly TestTarget[] {
  return listOf(globalConfig["tests"]).flatMap((test, at) => {
    if (!isRecord(test)) return [];
    const path = ["tests", at];
    const texts = (value: unknown, place: Path, of: TestTarget["of"]): readonly TestTarget[] =>
      typeof value === "string"
        ? [{ path: place, id: value, of }]
        : listOf(value).flatMap((item, index) => texts(item, [...place, index], of));
    const field = (value: unknown, name: string): unknown =>
      isRecord(value) ? value[name] : undefined;
    return [
      ...texts(field(test["input"], "insert_at"), [...path, "input", "insert_at"], "input"),
      ...listOf(test["inputs"]).flatMap((input, index) =>
        texts(field(input, "insert_at"), [...path, "inputs", index, "insert_at"], "input"),
      ),
      ...listOf(test["outputs"]).flatMap((output, index) =>
        texts(field(output, "extract_from"), [...path, "outputs", index, "extract_from"], "output"),
      ),
      ...texts(test["no_outputs_from"], [...path, "no_outputs_from"], "output"),
    ];
  });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
