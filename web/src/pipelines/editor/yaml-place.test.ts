import { describe, expect, test } from "vitest";

import { placeAt } from "./yaml-place.ts";

const text = `sources:
  in:
    type: file
    include:
      - /a
    multiline:
      mode: halt_with
      # a comment
      start_pattern: x
sinks:
  out:
    inputs: [in]
    buffer:
      type: disk
    type: http
    tls:
      crt_file: x
  split:
    type: exclusive_route
    routes:
      - name: a
        condition: |
          .x = 1
          y: 2
      - condition: b
        name: b
`;

describe("a place", () => {
  test.each([
    ["include:", "in", "file", "", "include"],
    ["mode:", "in", "file", "multiline", "multiline.mode"],
    ["start_pattern", "in", "file", "multiline", "multiline.start_pattern"],
    ["crt_file", "out", "http", "tls", "tls.crt_file"],
    ["routes:", "split", "exclusive_route", "", "routes"],
    ["name: a", "split", "exclusive_route", "routes[]", "routes[].name"],
    ["condition: |", "split", "exclusive_route", "routes[]", "routes[].condition"],
    ["condition: b", "split", "exclusive_route", "routes[]", "routes[].condition"],
    ["name: b", "split", "exclusive_route", "routes[]", "routes[].name"],
  ])("at %o is in %s of type %s, below %o: %s", (word, key, type, parent, path) => {
    const at = text.indexOf(word);
    const place = placeAt(text, at + 1);
    expect(place).toMatchObject({ type, parent, path, component: { key }, from: at });
    expect(text.slice(place?.from, place?.to)).toBe(word.split(":")[0]);
  });

  test("is none in a program, in a section's name, and before all", () => {
    expect(placeAt(text, text.indexOf("y: 2"))).toBeUndefined();
    expect(placeAt(text, text.indexOf(".x = 1") + 1)).toBeUndefined();
    expect(placeAt(text, text.indexOf("out:"))).toBeUndefined();
    expect(placeAt(text, 1)).toBeUndefined();
  });

  test("can be where nothing is written yet", () => {
    const typing = `${text.slice(0, text.indexOf("  split:"))}      `;
    expect(placeAt(typing, typing.length)).toMatchObject({ parent: "tls", path: "" });
    const outer = `${text.slice(0, text.indexOf("  split:"))}    `;
    expect(placeAt(outer, outer.length)).toMatchObject({ parent: "", path: "", type: "http" });
  });
});
