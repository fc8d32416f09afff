import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { create } from "tar";
import { ExpectedError } from "../expected-error.ts";
import { collect } from "../support/collect.ts";
import { messageOf } from "../text.ts";
import type { CommandContext } from "./context.ts";

/** Writes the bundle, readable by this account only. A file that is there is not replaced. */
export async function supportBundle({
  config,
  flags,
  deps,
  print,
}: CommandContext): Promise<number> {
  const time = deps.clock.now().toISOString().replaceAll(/[:.]/g, "").slice(0, 15);
  const top = `vectorflow-agent-support-${time}`;
  const path = resolve(flags.output ?? `${top}.tar.gz`);
  try {
    await using _claim = await open(path, "wx", 0o600);
  } catch (error) {
    throw new ExpectedError(`${path} cannot be written: ${messageOf(error)}`, { cause: error });
  }
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-support-"));
  try {
    for (const [name, text] of await collect(config, deps.env)) {
      const file = join(folder, top, name);
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, text, { mode: 0o600 });
    }
    await create({ gzip: true, cwd: folder, file: path, portable: true }, [top]);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  print(`${path} was written. Look through it before you send it to anybody.`);
  return 0;
}
