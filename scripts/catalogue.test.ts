import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CatalogueFile } from "../server/configuration/catalogue.ts";
import { describeCatalogue } from "./catalogue.ts";

const common = join(import.meta.dirname, "../common");
const catalogue = JSON.parse(
  readFileSync(join(common, "vector-catalogue.json"), "utf8"),
) as CatalogueFile;
const text = readFileSync(join(common, "vector-descriptions.yaml"), "utf8");

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
