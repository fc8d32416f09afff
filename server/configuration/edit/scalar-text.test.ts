import { expect, test } from "vitest";
import { placeInScalar } from "#common/scalar-text.ts";
import { parsePipelineText } from "../graph.ts";

const program = (written: string): string => `transforms:
  t:
    type: remap
    inputs: [in]
    source: ${written}
sinks:
  out: {type: blackhole, inputs: [t]}
`;

/** The text of the document at the place of the mark within the value. */
function placed(document: string, mark: string): string | undefined {
  const parsed = parsePipelineText(document);
  const component = parsed.graph?.components.find(({ key }) => key === "t");
  const value = component?.config["source"];
  const scalar = parsed.locate("t", ["source"]);
  if (typeof value !== "string" || scalar === undefined) return undefined;
  const from = value.indexOf(mark);
  const place = placeInScalar(document, scalar, value, from, from + mark.length);
  return document.slice(place.from, place.to);
}

test.each([
  ["a literal block", program("|\n      .a = 1\n      .b = upcase(.c)")],
  ["a block with blank lines", program("|\n      .a = 1\n\n      # é\n      .b = upcase(.c)\n")],
  ["a block that keeps its end", program("|+\n      .a = 1\n      .b = upcase(.c)\n\n")],
  ["a block that drops its end", program("|-\n      .a = 1\n        .b = upcase(.c)")],
  [
    "a block with an indentation of its own",
    program("|2\n        .a = 1\n        .b = upcase(.c)"),
  ],
  ["a block with a comment at its head", program("| # é\n      .b = upcase(.c)")],
  [
    "line ends of Windows",
    program("|\n      .a = 1\n      .b = upcase(.c)").replaceAll("\n", "\r\n"),
  ],
  ["a plain text", program(".b = upcase(.c)")],
  ["a quoted text", program('".b = upcase(.c)"')],
  ["a text in single quotes", program("'.b = upcase(.c)'")],
])("finds a part of %s", (_name, document) => {
  expect(placed(document, "upcase(.c)")).toBe("upcase(.c)");
});

test.each([
  ["escapes", '".a = \\"x\\"\\n.b = upcase(.c)"'],
  ["folded lines", ">\n      .a = 1;\n      .b = upcase(.c)"],
])("gives the whole text where places are lost: %s", (_name, written) => {
  const place = placed(program(written), "upcase(.c)");
  expect(place?.trimEnd()).toBe(written);
});
