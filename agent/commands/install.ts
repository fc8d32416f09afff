import { mkdir, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { formatFindings } from "../doctor/finding.ts";
import { containerKind, hasSystemd, hostFindings } from "../doctor/host.ts";
import { vectorFinding } from "../doctor/vector.ts";
import { ExpectedError } from "../expected-error.ts";
import { programName } from "../self-command.ts";
import { linkTarget, place, readPresent } from "../service/files.ts";
import { decide } from "../service/install-plan.ts";
import { paths, serviceName, wantedFiles } from "../service/layout.ts";
import { systemctl } from "../service/systemctl.ts";
import type { CommandContext } from "./context.ts";

/**
 * Installs the service and starts it. What is there and differs is shown and kept, unless --force is given; then a
 * copy of it stays. Exits with 1 when something was kept.
 */
export async function install(context: CommandContext): Promise<number> {
  const { config, flags, deps, signal, print } = context;
  const root = flags.root === undefined ? undefined : resolve(flags.root);
  const isDry = flags["dry-run"] === true;
  await refuseWhereItCannotWork(root, isDry, config.server);
  let kept = 0;
  let changed = 0;
  for (const wanted of wantedFiles(config, flags, deps.env)) {
    const path = join(root ?? "/", wanted.path);
    const decision = decide(wanted, await readPresent(path, wanted, signal), config.force);
    const would = isDry ? "would " : "";
    switch (decision.kind) {
      case "same":
        print(`${path} is there already`);
        continue;
      case "keep":
        kept += 1;
        print(
          `${path} differs and ${would}stay${isDry ? "" : "s"}; --force replaces it:\n${decision.why}`,
        );
        continue;
      case "create":
        print(`${would}write ${path} (${wanted.mode.toString(8)})`);
        if (isDry && wanted.content.kind === "text" && !wanted.content.isSecret) {
          print(wanted.content.text);
        }
        break;
      case "replace":
        print(`${would}replace ${path}, keeping a copy:\n${decision.why}`);
        break;
    }
    changed += 1;
    if (!isDry) await place(path, wanted, decision.kind === "replace");
  }
  if (root === undefined) await startService(isDry, changed > 0, print);
  else await enableBelow(root, isDry, print);
  await sayWhatWillHinder(context);
  return kept > 0 ? 1 : 0;
}

/** Says what to do where there is no systemd, or where this account may not install. */
async function refuseWhereItCannotWork(
  root: string | undefined,
  isDry: boolean,
  server: string,
): Promise<void> {
  if (root !== undefined || isDry) return;
  if (!hasSystemd()) {
    const container = await containerKind();
    const command = `${programName()} run --server ${server}`;
    throw new ExpectedError(
      container === undefined
        ? `there is no systemd here. Let your supervisor start this at boot and whenever it ends:\n  ${command}\nwith VECTORFLOW_ENROLLMENT_TOKEN in its environment until the host is enrolled.`
        : `this is a container (${container}) without systemd. Make this its command, restart it always, and keep the data directory on a volume:\n  ${command}\nwith VECTORFLOW_ENROLLMENT_TOKEN in its environment until the host is enrolled.`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new ExpectedError(
      "installing a service needs root: run it with sudo, or look first with --dry-run",
    );
  }
}

async function startService(
  isDry: boolean,
  hasChanged: boolean,
  print: (text: string) => void,
): Promise<void> {
  const steps = [
    ["daemon-reload"],
    ["enable", serviceName],
    [hasChanged ? "restart" : "start", serviceName],
  ];
  for (const step of steps) {
    print(`${isDry ? "would run" : "run"} systemctl ${step.join(" ")}`);
    if (!isDry) await systemctl(step);
  }
  if (!isDry) print(`started; its log: journalctl -u ${serviceName} -f`);
}

/** Enables the service in a system that is not running. */
async function enableBelow(
  root: string,
  isDry: boolean,
  print: (text: string) => void,
): Promise<void> {
  const link = join(root, paths.enabled);
  if ((await linkTarget(link)) !== undefined) return;
  print(`${isDry ? "would link" : "link"} ${link} to ${paths.unit}`);
  if (isDry) return;
  await mkdir(dirname(link), { recursive: true, mode: 0o755 });
  await symlink(paths.unit, link);
}

/** What is known to hinder pipelines here is said now, not discovered later (A18). */
async function sayWhatWillHinder({ config, flags, deps, print }: CommandContext): Promise<void> {
  if (flags.root !== undefined) return;
  const findings = [
    await vectorFinding(config.dataDir, deps.env),
    ...(await hostFindings(config.dataDir)),
  ].filter(({ level }) => level !== "ok");
  if (findings.length > 0) print(`\n${formatFindings(findings)}`);
  print(`\n${programName()} doctor --server ${config.server} looks at the connection too.`);
}
