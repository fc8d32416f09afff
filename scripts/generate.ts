import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { renderConfigurationDocs } from "./configuration-docs.ts";
import { renderDatabaseDocs } from "./database-docs.ts";

// `npm run generate`: everything that is made from something else and committed.
const root = join(import.meta.dirname, "..");
const buf = join(root, "node_modules/.bin/buf");
const { status } = spawnSync(buf, ["generate"], { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(1);
await writeFile(join(root, "docs/configuration.md"), renderConfigurationDocs());
await writeFile(join(root, "docs/database.md"), renderDatabaseDocs());
// Loaded only now, because it stands on the code that was just generated.
const { renderAccessDocs } = await import("./access-docs.ts");
await writeFile(join(root, "docs/access-rules.md"), renderAccessDocs());
