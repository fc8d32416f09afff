import { existsSync, lstatSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hasSystemd } from "../doctor/host.ts";
import { ExpectedError } from "../expected-error.ts";
import { paths, serviceName } from "../service/layout.ts";
import { systemctl } from "../service/systemctl.ts";
import { lockHolder } from "../state/data-dir-lock.ts";
import type { CommandContext } from "./context.ts";

/** Removes the service. Identity, configurations, buffers and checkpoints stay, unless --purge is given (A16). */
export async function uninstall({ config, flags, print }: CommandContext): Promise<number> {
  const root = flags.root === undefined ? undefined : resolve(flags.root);
  const isDry = flags["dry-run"] === true;
  const isRunningSystem = root === undefined && hasSystemd();
  if (root === undefined && !isDry && process.getuid?.() !== 0) {
    throw new ExpectedError(
      "removing a service needs root: run it with sudo, or look first with --dry-run",
    );
  }
  const at = (path: string): string => join(root ?? "/", path);
  const unit = await readFile(at(paths.unit), "utf8").catch(() => "");
  const dataDir = at(dataDirOf(unit) ?? config.dataDir);
  if (unit === "") print(`${at(paths.unit)} is not there`);
  else if (isRunningSystem) {
    print(`${isDry ? "would run" : "run"} systemctl disable --now ${serviceName}`);
    if (!isDry) await systemctl(["disable", "--now", serviceName]);
  }
  const doomed = [paths.enabled, paths.unit, paths.executable].map(at);
  if (flags.purge === true) doomed.push(at(paths.environment), dataDir);
  if (flags.purge === true) await refuseToPurge(dataDir);
  for (const path of doomed) {
    if (!isThere(path)) continue;
    print(`${isDry ? "would delete" : "delete"} ${path}`);
    if (!isDry) await rm(path, { recursive: true, force: true });
  }
  if (isRunningSystem && !isDry) await systemctl(["daemon-reload"]);
  if (flags.purge !== true) {
    print(`${dataDir} and ${at(paths.environment)} stay; --purge deletes them too`);
  }
  return 0;
}

/** Also true of a link that leads nowhere. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The data directory that the service was installed with. */
export function dataDirOf(unit: string): string | undefined {
  const [, quoted, plain] =
    /^ExecStart=.* --data-dir (?:"((?:[^"\\]|\\.)*)"|(\S+))/m.exec(unit) ?? [];
  const text = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain;
  return text?.replaceAll("%%", "%").replaceAll("$$", "$");
}

/** Deletes only what an agent made, and never under one that runs. */
async function refuseToPurge(dataDir: string): Promise<void> {
  if (!existsSync(dataDir)) return;
  const marks = ["identity.json", "installation-id", "state.json"];
  if (!marks.some((name) => existsSync(join(dataDir, name)))) {
    throw new ExpectedError(
      `${dataDir} does not look like an agent's data directory; delete it by hand`,
    );
  }
  const pid = await lockHolder(dataDir);
  if (pid !== undefined) {
    throw new ExpectedError(`an agent (process ${pid}) runs in ${dataDir}: stop it first`);
  }
}
