import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { startStack } from "./stack.ts";

const slow = { timeout: 20_000 };

test("a running pipeline is looked into: a sample, a live tap, vector top", async () => {
  await using stack = await startStack();
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({
      locale: "en-US",
      viewport: { width: 1440, height: 900 },
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(stack.url);
    await page.getByLabel("E-mail").fill("admin@example.com");
    await page.getByLabel("Name", { exact: true }).fill("Admin");
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
    await page.getByLabel("Team").fill("Platform");
    await page.getByLabel("Environment").fill("Production");
    const demo = page.getByLabel("Create a demo pipeline");
    if (!(await demo.isChecked())) await demo.check();
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("link", { name: "Pipelines" }).first().click();
    await page.getByRole("link", { name: "Demo" }).first().click(slow);
    await page
      .getByText(/v1 on 1\/1 host/)
      .first()
      .waitFor(slow);

    await page.getByRole("link", { name: "Live data" }).click();
    await page.getByRole("button", { name: "Take a sample" }).click(slow);
    const result = page.getByRole("region", { name: /^Sample of/ }).first();
    await result.getByText("5 events", { exact: true }).waitFor(slow);
    await result.getByRole("button", { name: "Fields" }).click();
    await result.getByRole("rowheader", { name: ".timestamp" }).waitFor(slow);
    expect(await result.getByRole("row", { name: /\.timestamp timestamp all/ }).count()).toBe(1);

    await page.getByRole("link", { name: "Live tap" }).click();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("listening").waitFor(slow);
    await page.getByRole("log").getByRole("listitem").first().waitFor(slow);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("You stopped it.").waitFor(slow);

    await page.getByRole("link", { name: "vector top" }).click();
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("open", { exact: true }).waitFor(slow);
    await expect
      .poll(() => page.locator(".xterm").innerText(), { timeout: 15_000 })
      .toMatch(/demo_logs/);
    await page.keyboard.press("q");
    await page.getByText("vector top has ended").waitFor(slow);
    expect(errors).toEqual([]);
  } catch (error) {
    for (const page of browser.contexts().flatMap((context) => context.pages())) {
      await page.screenshot({ path: join(tmpdir(), "vectorflow-e2e-live-failure.png") });
    }
    throw error;
  } finally {
    await browser.close();
  }
}, 180_000);
