import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CatalogueFile } from "../server/configuration/catalogue.ts";
import { addFacts } from "./catalogue-additions.ts";
import { describeCatalogue } from "./catalogue.ts";

const common = join(import.meta.dirname, "../common");
const catalogue = JSON.parse(
  readFileSync(join(common, "vector-catalogue.json"), "utf8"),
) as CatalogueFile;
const text = readFileSync(join(common, "vector-descriptions.yaml"), "utf8");
const additions = readFileSync(join(common, "vector-additions.yaml"), "utf8");

test("the catalogue has the descriptions that are written beside it: npm run build:catalogue", () => {
  expect(describeCatalogue(catalogue, text)).toEqual(catalogue);
});

test("a description of what does not exist is refused", () => {
  expect(() =>
    describeCatalogue(catalogue, text.replace("  source/file:", "  source/fill:")),
  ).toThrow(/source\/fill/);
  expect(() => describeCatalogue(catalogue, text.replace("read_from:", "read_form:"))).toThrow(
    /source\/file read_form/,
  );
});

test("the catalogue has the facts that are written beside it: npm run build:catalogue", () => {
  expect(addFacts(catalogue, additions)).toEqual(catalogue);
});

test("facts of what does not exist are refused", () => {
  expect(() => addFacts(catalogue, "[{for: [sink/fill], options: {}}]")).toThrow(/sink\/fill/);
  expect(() => addFacts(catalogue, "[{for: [sink/file], options: {pth: {aliases: [a]}}}]")).toThrow(
    /option pth/,
  );
});

test("facts are added to options, to what a pattern finds, and as options that are hidden", () => {
  const { components } = addFacts(
    catalogue,
    `- for: [sink/file]
  options:
    path: {aliases: [file], type: null}
    "**compression": {where: {enum: [gzip, none, zstd]}, also: [object], below: {level: {type: uint}}}
    "**codec": {where: {beside: nothing}, aliases: [wrong]}`,
  );
  const options = components.find(({ kind, type }) => kind === "sink" && type === "file")?.options;
  const at = (path: string) => options?.find((option) => option.path === path);
  expect(at("path")).toMatchObject({ aliases: ["file"], required: true });
  expect(at("path")).not.toHaveProperty("type");
  expect(at("compression")?.also).toEqual(["object"]);
  expect(at("compression.level")).toEqual({
    path: "compression.level",
    type: "uint",
    required: false,
    hidden: true,
  });
  expect(at("encoding.codec")?.aliases).toBeUndefined();
});
