import { expect, test } from "vitest";
import { HostGroups } from "./host-check-groups.ts";

const problem = (message: string) => ({ componentId: "out", field: "uri", message });
const hosts = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(4, "0")}`);

test("the same cause on 900 hosts is one group, with a count and 20 names", () => {
  const groups = new HostGroups();
  for (const nodeName of hosts(900, "edge").toReversed()) {
    groups.add({
      nodeName,
      verdict: "refused",
      reason: "Vector refuses the configuration",
      problems: [problem("invalid uri"), problem("invalid uri")],
      vectorVersion: "0.57.0",
    });
  }
  for (const nodeName of hosts(3, "core")) {
    groups.add({
      nodeName,
      verdict: "accepted",
      reason: "",
      problems: [],
      vectorVersion: "0.58.0",
    });
  }
  groups.add({
    nodeName: "lab",
    verdict: "refused",
    reason: "x",
    problems: [problem("invalid uri"), problem("another")],
    vectorVersion: "",
  });
  groups.add({
    nodeName: "away",
    verdict: "not_connected",
    reason: "it is not connected",
    problems: [],
    vectorVersion: "",
  });
  const list = groups.list();
  expect(list.map(({ verdict, message, nodeCount }) => [verdict, message, nodeCount])).toEqual([
    ["refused", "invalid uri", 901],
    ["refused", "another", 1],
    ["not_connected", "it is not connected", 1],
    ["accepted", "", 3],
  ]);
  expect(list[0]).toMatchObject({ componentKey: "out", field: "uri", vectorVersion: "" });
  expect(list[0]?.nodeNames).toEqual(hosts(20, "edge"));
  expect(list.at(-1)).toMatchObject({ vectorVersion: "0.58.0", nodeNames: hosts(3, "core") });
});
