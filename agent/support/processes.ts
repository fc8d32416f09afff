import { readFile } from "node:fs/promises";
import { processStartTime } from "../process/process-identity.ts";
import type { PipelineStore } from "../state/pipeline-store.ts";

/** The processes of this agent's pipelines, a line each. Command lines of Vector hold paths and no secrets. */
export async function processTable(store: PipelineStore): Promise<string> {
  const rows = ["pipeline pid state rss_kb threads command"];
  for (const id of await store.ids()) {
    const record = await store.loadProcess(id);
    if (record === undefined) continue;
    if ((await processStartTime(record.pid)) !== record.startTime) {
      rows.push(`${id} ${record.pid} gone`);
      continue;
    }
    const status = await readFile(`/proc/${record.pid}/status`, "utf8").catch(() => "");
    const command = await readFile(`/proc/${record.pid}/cmdline`, "utf8").catch(() => "");
    const field = (name: string): string =>
      new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "-";
    rows.push(
      [
        id,
        record.pid,
        field("State"),
        field("VmRSS"),
        field("Threads"),
        command.replaceAll("\0", " ").trim(),
      ].join(" "),
    );
  }
  return `${rows.join("\n")}\n`;
}
