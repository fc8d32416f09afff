import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateFile } from "../reconcile/desired-state.ts";
import { writeFileAtomically } from "../state/atomic-file.ts";

/**
 * The name of a certificate's file: its content's digest. So no name from the server can leave the
 * folder (A12), two certificates with one file name do not meet, and a renewed one has another path,
 * which makes the components that use it restart.
 */
export function certificateFileName(content: Uint8Array): string {
  return `${createHash("sha256").update(content).digest("hex")}.pem`;
}

/**
 * Puts the files of the certificates into the folder, readable by the owner only. Returns whether
 * there was anything to write.
 */
export async function writeCertificates(
  folder: string,
  certificates: readonly CertificateFile[],
): Promise<boolean> {
  if (certificates.length === 0) return false;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let wrote = false;
  for (const { content } of certificates) {
    const path = join(folder, certificateFileName(content));
    const present = await readFile(path).catch(() => undefined);
    if (present?.equals(content) === true) continue;
    await writeFileAtomically(path, content);
    wrote = true;
  }
  return wrote;
}

/** Deletes every file of the folder that none of these certificates needs. */
export async function pruneCertificates(
  folder: string,
  used: readonly CertificateFile[],
): Promise<void> {
  const kept = new Set(used.map(({ content }) => certificateFileName(content)));
  for (const name of await readdir(folder).catch((): string[] => [])) {
    if (!kept.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
