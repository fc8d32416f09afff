import { describe, expect, test } from "vitest";
import { noLimits, type ManifestEntry } from "./desired-state.ts";
import { planActions } from "./plan.ts";

const entry = (pipelineId: string, more: Partial<ManifestEntry> = {}): ManifestEntry => ({
  pipelineId,
  name: pipelineId,
  hash: "h",
  version: 1,
  attempt: 0,
  limits: noLimits,
  ...more,
});

const present = (...entries: readonly ManifestEntry[]) =>
  new Map(entries.map((item) => [item.pipelineId, item]));

describe("planActions", () => {
  test.each([
    ["nothing for what is there already", [entry("a")], [entry("a")], []],
    ["an add for what is new", [entry("a")], [], ["add"]],
    ["an update for another content", [entry("a", { hash: "i" })], [entry("a")], ["update"]],
    [
      "an update for another version of the same",
      [entry("a", { version: 2 })],
      [entry("a")],
      ["update"],
    ],
    ["an update for a retry", [entry("a", { attempt: 1 })], [entry("a")], ["update"]],
    [
      "an update for other limits",
      [entry("a", { limits: { memoryBytes: 1, cpuCores: 0 } })],
      [entry("a")],
      ["update"],
    ],
    ["a remove for what is not listed", [], [entry("a")], ["remove"]],
  ] as const)("gives %s", (_name, wanted, now, kinds) => {
    expect(planActions(wanted, present(...now)).map(({ kind }) => kind)).toEqual(kinds);
  });
});
