import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CatalogueFile } from "../server/configuration/catalogue.ts";
import { addFacts } from "./catalogue-additions.ts";
import { describeCatalogue } from "./catalogue.ts";

// `npm run build:catalogue [-- FACTS]`: what the server and the editor know of Vector's components. FACTS is a JSON of
// what is true of them, in the shape of the catalogue; without it the facts stay, and those that are kept beside them
// and the descriptions are renewed.

const root = join(import.meta.dirname, "..");
const path = join(root, "common/vector-catalogue.json");
const facts = JSON.parse(await readFile(process.argv[2] ?? path, "utf8")) as CatalogueFile;
const descriptions = await readFile(join(root, "common/vector-descriptions.yaml"), "utf8");
const additions = await readFile(join(root, "common/vector-additions.yaml"), "utf8");
await writeFile(path, JSON.stringify(describeCatalogue(addFacts(facts, additions), descriptions)));
const { status } = spawnSync(join(root, "node_modules/.bin/oxfmt"), [path], { stdio: "inherit" });
process.exit(status ?? 1);
