import { delimiter, join } from "node:path";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import chromiumBinary, { inflate } from "@sparticuz/chromium";
import { chromium, type Browser, type Page } from "playwright-core";

/** Unpacked from its package, so that nothing needs to be installed on the machine. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await chromiumBinary.executablePath();
  const args = ["--no-sandbox", "--disable-gpu"];
  try {
    return await chromium.launch({ executablePath, args });
  } catch (error) {
    if (!/shared librar/.test(String(error))) throw error;
    // A bare Debian or Ubuntu lacks libnss3; the package carries it for another system.
    const folder = dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium"));
    const libraries = join(await inflate(join(folder, "../bin/al2023.tar.br")), "lib");
    const path = [libraries, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(delimiter);
    return chromium.launch({
      executablePath,
      args,
      env: { ...process.env, LD_LIBRARY_PATH: path },
    });
  }
}

/** Replaces the whole text of the YAML editor. */
export async function writeYaml(page: Page, text: string): Promise<void> {
  const editor = page.getByLabel("Pipeline YAML");
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}
