import { expect, test } from "vitest";
import { groupsOf, rolesOf, type GroupMapping } from "./group-roles.ts";

const mappings: GroupMapping[] = [
  { group: "ops", teamId: "platform", role: "ADMIN" },
  { group: "staff", teamId: "platform", role: "VIEWER" },
  { group: "sec", teamId: "security", role: "EDITOR" },
];
const fallback = { teamId: "guests", role: "VIEWER" } as const;

test.each<[string[], Record<string, string>]>([
  [["staff"], { platform: "VIEWER" }],
  [["ops", "staff"], { platform: "ADMIN" }],
  [["staff", "ops"], { platform: "ADMIN" }],
  [["sec", "staff"], { platform: "VIEWER", security: "EDITOR" }],
  [[], { guests: "VIEWER" }],
  [["unmapped"], { guests: "VIEWER" }],
])("groups %j give %j", (groups, expected) => {
  expect(Object.fromEntries(rolesOf(groups, mappings, fallback))).toEqual(expected);
});

test("without a default, no group means no role", () => {
  expect(rolesOf([], mappings, undefined).size).toBe(0);
});

test("a claim of groups is a list or one text, and nothing else", () => {
  expect(groupsOf(["a", 1, "b"])).toEqual(["a", "b"]);
  expect(groupsOf("a")).toEqual(["a"]);
  expect(groupsOf({ a: 1 })).toEqual([]);
});
