import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { boundedText, messageOf } from "../text.ts";
import type { VectorExecutable } from "../vector/executable.ts";
import { runCommand } from "../vector/run-command.ts";

export type SchemaResult =
  | { readonly kind: "generated"; readonly vectorVersion: string; readonly gzip: Uint8Array }
  | { readonly kind: "failed"; readonly problem: string };

const timeoutMs = 30_000;
const maxBytes = 16 * 1024 * 1024;
/** Below what the server takes in one message. */
const maxGzipBytes = 3 * 1024 * 1024;

/** The schema of its components that an installed Vector generates. Never rejects but for the signal. */
export async function generateComponentSchema(
  executable: VectorExecutable,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<SchemaResult> {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-schema-"));
  try {
    const path = join(folder, "schema.json");
    const result = await runCommand(
      // Its log would go to the same stream as the schema.
      {
        command: executable.path,
        args: ["-qq", "generate-schema", "-o", path],
        cwd: folder,
        env,
        timeoutMs,
      },
      signal,
    );
    signal.throwIfAborted();
    if (result.kind === "failed_to_start") return failed(result.cause.message);
    if (result.kind === "timed_out") return failed("it did not end in time");
    if (result.code !== 0) {
      const told = result.stderr.trim().split("\n", 1)[0] ?? "";
      return failed(`it ended with code ${result.code}${told === "" ? "" : `: ${told}`}`);
    }
    if ((await stat(path)).size > maxBytes) return failed("the schema is too large");
    const compressed = await promisify(gzip)(await readFile(path));
    if (compressed.length > maxGzipBytes) return failed("the schema is too large");
    return { kind: "generated", vectorVersion: executable.version, gzip: compressed };
  } catch (error) {
    signal.throwIfAborted();
    return failed(messageOf(error));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function failed(problem: string): SchemaResult {
  return {
    kind: "failed",
    problem: boundedText(`vector generate-schema failed: ${problem}`, 512),
  };
}
