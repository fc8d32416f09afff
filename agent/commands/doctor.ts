import { examine } from "../doctor/doctor.ts";
import { formatFindings } from "../doctor/finding.ts";
import type { CommandContext } from "./context.ts";

/** Looks for what keeps this host from working. Exits with 1 when there is a problem. */
export async function doctor({ config, flags, deps, print }: CommandContext): Promise<number> {
  const report = await examine(config, deps.env, flags["allow-plaintext"] === true);
  print(config.json ? JSON.stringify(report, null, 2) : formatFindings(report.findings));
  return report.level === "problem" ? 1 : 0;
}
