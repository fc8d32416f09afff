import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type BuildContext, BuildError, type Send, type Source } from "../component.ts";
import { bool, isRecord, number, strings, text } from "../config.ts";
import { globToRegExp } from "../config-check.ts";
import type { SimEvent } from "../event.ts";
import { checkDataDir } from "../build.ts";

const pollMs = 200;
const chunkBytes = 64 * 1024;
const target = "vector::internal_events::file::source";

/** A file that is followed: known by a checksum of its first line, so that it may be renamed. */
interface Followed {
  path: string;
  position: number;
}

/** How far each file was read; written beside, then renamed, so that a crash leaves one whole. */
class Checkpoints {
  readonly #path: string;
  readonly positions = new Map<string, number>();
  #saved = "";

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, "checkpoints.json");
    if (!existsSync(this.#path)) return;
    const read: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
    const list = isRecord(read) && Array.isArray(read["checkpoints"]) ? read["checkpoints"] : [];
    for (const entry of list) {
      if (isRecord(entry) && typeof entry["position"] === "number")
        this.positions.set(String(entry["fingerprint"]), entry["position"]);
    }
  }

  save(): void {
    const checkpoints = [...this.positions].map(([fingerprint, position]) => ({
      fingerprint,
      position,
    }));
    const next = JSON.stringify({ version: "1", checkpoints });
    if (next === this.#saved) return;
    writeFileSync(`${this.#path}.new`, next);
    renameSync(`${this.#path}.new`, this.#path);
    this.#saved = next;
  }
}

export function fileSource(context: BuildContext): Source {
  const { component, origin, meter, log, hostname, dataDir } = context;
  const { options } = component;
  const missing = checkDataDir(dataDir);
  if (missing !== undefined) throw new BuildError(missing);
  const include = strings(options, "include");
  const exclude = strings(options, "exclude").map(globToRegExp);
  const fileKey = text(options, "file_key") ?? "file";
  const hostKey = text(options, "host_key") ?? "host";
  const maxLine = number(options, "max_line_bytes", 102_400);
  const delimiter = Buffer.from(text(options, "line_delimiter") ?? "\n");
  const fromEnd = text(options, "read_from") === "end";
  const ignoreCheckpoints = bool(options, "ignore_checkpoints", false);

  /** Reads the whole lines that are there; the rest waits for its end. */
  const readLines = async (
    file: FileHandle,
    followed: Followed,
    send: Send,
    signal: AbortSignal,
  ): Promise<void> => {
    while (!signal.aborted) {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(chunkBytes + maxLine),
        0,
        chunkBytes + maxLine,
        followed.position,
      );
      const end = buffer.subarray(0, bytesRead).lastIndexOf(delimiter);
      if (end === -1) return;
      const lines = buffer.subarray(0, end).toString().split(delimiter.toString());
      const kept = lines.filter((line) => line.length <= maxLine);
      const events: readonly SimEvent[] = kept.map((message) => ({
        kind: "log",
        fields: {
          message,
          [fileKey]: followed.path,
          [hostKey]: hostname,
          source_type: "file",
          timestamp: new Date(),
        },
        origin,
      }));
      meter.receivedBytes("file", end + delimiter.length);
      meter.received(events);
      await send(events);
      followed.position += end + delimiter.length;
    }
  };

  return {
    kind: "source",
    async run(send, signal) {
      log.info("vector::sources::file", "Starting file server.", {
        include: JSON.stringify(include),
        exclude: JSON.stringify(strings(options, "exclude")),
      });
      const checkpoints = new Checkpoints(join(text(options, "data_dir") ?? dataDir, component.id));
      const followed = new Map<string, Followed>();
      let isFirstLook = true;
      while (!signal.aborted) {
        const paths = globSync([...include]).filter(
          (path) => !exclude.some((pattern) => pattern.test(path)),
        );
        for (const path of paths) {
          await using file = await open(path, "r").catch(() => undefined);
          const fingerprint = file === undefined ? undefined : await fingerprintOf(file, delimiter);
          if (file === undefined || fingerprint === undefined) continue;
          let state = followed.get(fingerprint);
          if (state === undefined) {
            const known = ignoreCheckpoints ? undefined : checkpoints.positions.get(fingerprint);
            const start = fromEnd && isFirstLook ? (await file.stat()).size : 0;
            state = { path, position: known ?? start };
            followed.set(fingerprint, state);
            log.info(
              target,
              known === undefined ? "Found new file to watch." : "Resuming to watch file.",
              { file: path },
            );
          }
          if ((await file.stat()).size < state.position) state.position = 0;
          await readLines(file, state, send, signal);
          checkpoints.positions.set(fingerprint, state.position);
        }
        isFirstLook = false;
        checkpoints.save();
        // An abort ends the pause and with it the loop.
        await delay(pollMs, undefined, { signal }).catch(() => {});
      }
      checkpoints.save();
    },
  };
}

/** A checksum of the first line; undefined while the file has none. */
async function fingerprintOf(file: FileHandle, delimiter: Buffer): Promise<string | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  const end = buffer.subarray(0, bytesRead).indexOf(delimiter);
  if (end === -1 && bytesRead < 4096) return undefined;
  return createHash("sha256")
    .update(buffer.subarray(0, end === -1 ? 4096 : end))
    .digest("hex")
    .slice(0, 16);
}
