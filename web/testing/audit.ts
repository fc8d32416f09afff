import { gzipSync } from "node:zlib";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";
import chromiumBinary from "@sparticuz/chromium";
import { chromium } from "playwright-core";

/**
 * Looks for accessibility violations on every page in both themes, and weighs the build:
 * `node web/testing/audit.ts [base url]`, with the preview server running.
 */
const base = process.argv[2] ?? "http://localhost:4173";
const pages = [
  "/e/env-1/hosts",
  "/e/env-1/hosts/add",
  "/e/env-1/hosts/edge-fra-01",
  "/e/env-1/hosts/edge-fra-01?tab=pipelines",
  "/e/env-1/hosts/edge-fra-01?tab=logs",
  "/e/env-1/pipelines",
  "/e/env-1/pipelines/new",
  "/e/env-1/pipelines/pipe-1",
  "/e/env-1/pipelines/pipe-1?tab=edit",
  "/e/env-1/pipelines/pipe-1?tab=live",
  "/e/env-1/pipelines/pipe-1?tab=live&view=tap",
  "/e/env-1/pipelines/pipe-1?tab=live&view=top",
  "/e/env-1/pipelines/pipe-1?tab=logs",
  "/e/env-1/pipelines/pipe-1?tab=versions",
  "/e/env-1/pipelines/pipe-4?deploy=review",
  "/e/env-1/pipelines/pipe-4?tab=versions&version=1",
  "/e/env-1/templates",
  "/e/env-1/secrets",
  "/e/env-1/variables",
  "/settings/profile",
  "/settings/teams",
  "/settings/teams/team-1",
  "/settings/users",
  "/settings/audit",
  "/settings/authentication",
  "/login",
  "/setup",
  "/nowhere",
];
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const browser = await chromium.launch({
  executablePath: await chromiumBinary.executablePath(),
  args: ["--no-sandbox", "--disable-gpu"],
});
let violations = 0;
for (const colorScheme of ["light", "dark"] as const) {
  const context = await browser.newContext({ locale: "en-US", colorScheme });
  for (const path of pages) {
    const page = await context.newPage();
    await page.goto(base + path);
    await page.waitForTimeout(1_500);
    const result = await new AxeBuilder({ page }).withTags(tags).analyze();
    for (const violation of result.violations) {
      violations++;
      const nodes = violation.nodes.slice(0, 3).map(({ html, failureSummary }) => {
        return `      ${html.slice(0, 160)}\n      ${failureSummary?.split("\n")[1] ?? ""}`;
      });
      process.stdout.write(`${colorScheme} ${path}: ${violation.id}\n${nodes.join("\n")}\n`);
    }
    await page.close();
  }
  await context.close();
}
await browser.close();

const dist = join(import.meta.dirname, "..", "dist");
const index = readFileSync(join(dist, "index.html"), "utf8");
const weigh = (names: readonly string[]): number =>
  names.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, "assets", name))).length, 0);
const initial = [...index.matchAll(/assets\/([\w.-]+)/g)].map((match) => match[1] ?? "");
const all = readdirSync(join(dist, "assets"));
const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB gzip`;
process.stdout.write(
  `${violations} violations\n` +
    `initial JS ${kilobytes(weigh(initial.filter((name) => name.endsWith(".js"))))}, ` +
    `CSS ${kilobytes(weigh(initial.filter((name) => name.endsWith(".css"))))}, ` +
    `all JS ${kilobytes(weigh(all.filter((name) => name.endsWith(".js"))))}\n`,
);
