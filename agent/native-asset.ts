import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { getAsset } from "node:sea";

/**
 * Writes an executable content to a file that its own digest names, and returns the path. What is there already is
 * taken only when it is a plain file of this account, closed to others, with that very content; anything else in
 * its place is left alone, and the content goes to a folder of its own.
 */
export function materialize(name: string, content: Buffer, folder: string): string {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 32);
  const file = join(folder, `vectorflow-${digest}-${basename(name)}`);
  if (isOurs(file, content)) return file;
  const own = mkdtempSync(join(folder, "vectorflow-native-"));
  const temporary = join(own, basename(name));
  writeFileSync(temporary, content, { mode: 0o700, flag: "wx" });
  try {
    if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) return temporary;
    renameSync(temporary, file);
  } catch {
    return temporary; // Somebody else's file has come into the place.
  }
  rmSync(own, { recursive: true, force: true });
  return file;
}

function isOurs(file: string, content: Buffer): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.uid !== process.getuid?.()) return false;
  return (stats.mode & 0o077) === 0 && readFileSync(file).equals(content);
}

/** Loads a native addon that the single-file binary carries. */
export function loadNativeAsset(name: string): unknown {
  const content = Buffer.from(getAsset(name));
  return createRequire(join(tmpdir(), "/"))(materialize(name, content, tmpdir()));
}
