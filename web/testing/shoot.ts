import chromiumBinary from "@sparticuz/chromium";
import { chromium } from "playwright-core";

/**
 * Takes pictures of pages: `node web/testing/shoot.ts <folder> <base url> <theme> <width> <name=path>…`.
 * A path may carry clicks after "!!": button or link names, separated by ";;".
 */
const [folder = ".", base = "http://localhost:4173", theme = "light", width = "1440", ...pages] =
  process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: await chromiumBinary.executablePath(),
  args: ["--no-sandbox", "--disable-gpu"],
});
const context = await browser.newContext({
  locale: "en-US",
  viewport: { width: Number(width), height: 900 },
  colorScheme: theme === "dark" ? "dark" : "light",
});
for (const entry of pages) {
  const [name = "", rest = "/"] = entry.split(/=(.*)/s);
  const [path = "/", clicks = ""] = rest.split("!!");
  const page = await context.newPage();
  page.on("console", (line) => {
    if (line.type() === "error") process.stderr.write(`${name}: ${line.text()}\n`);
  });
  page.on("pageerror", (error) => process.stderr.write(`${name}: ${error.stack}\n`));
  await page.goto(base + path);
  await page.waitForTimeout(2_500);
  for (const click of clicks.split(";;").filter(Boolean)) {
    const named = { name: click, exact: true };
    await page
      .getByRole("button", named)
      .or(page.getByRole("link", named))
      .first()
      .click({ timeout: 5_000 });
    await page.waitForTimeout(1_200);
  }
  await page.screenshot({ path: `${folder}/${name}.png` });
  await page.close();
}
await browser.close();
