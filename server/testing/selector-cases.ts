import type { Selector, SelectorTerm } from "../pipelines/delivery/selector.ts";

const term = (
  operator: SelectorTerm["operator"],
  key: string,
  ...values: readonly string[]
): SelectorTerm => ({ key, operator, values });

/** Selectors, labels, and whether they go together: for the code and for the database alike. */
export const selectorCases: readonly (readonly [
  name: string,
  selector: Selector,
  labels: Readonly<Record<string, string>>,
  matches: boolean,
])[] = [
  ["no selector takes every node", null, {}, true],
  ["no terms take every node", [], { site: "fra" }, true],
  ["equals: same", [term("equals", "site", "fra")], { site: "fra" }, true],
  ["equals: other", [term("equals", "site", "fra")], { site: "ams" }, false],
  ["equals: absent", [term("equals", "site", "fra")], {}, false],
  ["equals: case counts", [term("equals", "site", "fra")], { site: "FRA" }, false],
  ["equals: an empty value is a value", [term("equals", "site", "")], { site: "" }, true],
  ["equals: an empty value is not absence", [term("equals", "site", "")], {}, false],
  ["not_equals: same", [term("not_equals", "site", "fra")], { site: "fra" }, false],
  ["not_equals: other", [term("not_equals", "site", "fra")], { site: "ams" }, true],
  ["not_equals: absent", [term("not_equals", "site", "fra")], {}, true],
  ["in: one of them", [term("in", "tier", "gold", "silver")], { tier: "silver" }, true],
  ["in: none of them", [term("in", "tier", "gold", "silver")], { tier: "tin" }, false],
  ["in: absent", [term("in", "tier", "gold")], {}, false],
  ["exists", [term("exists", "canary")], { canary: "" }, true],
  ["exists: absent", [term("exists", "canary")], { other: "1" }, false],
  ["not_exists", [term("not_exists", "canary")], {}, true],
  ["not_exists: present", [term("not_exists", "canary")], { canary: "no" }, false],
  [
    "all terms must hold",
    [term("equals", "site", "fra"), term("not_exists", "canary")],
    { site: "fra", canary: "1" },
    false,
  ],
  [
    "all terms hold",
    [term("equals", "site", "fra"), term("in", "tier", "gold"), term("exists", "rack")],
    { site: "fra", tier: "gold", rack: "7" },
    true,
  ],
  ["names that objects have anyway are no labels", [term("exists", "constructor")], {}, false],
  ["quotes in values", [term("equals", "note", `"it's"`)], { note: `"it's"` }, true],
  // As a newer server may have stored it: nothing is safer than everything.
  [
    "an unknown operator takes none",
    [{ key: "site", operator: "matches" as never, values: [".*"] }],
    { site: "fra" },
    false,
  ],
];
