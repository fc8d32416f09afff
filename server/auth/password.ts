import { createHash } from "node:crypto";
import bcrypt from "bcrypt";

/** One cost for all hashes, so that a sign-in takes the same time whoever tries. */
const cost = 12;

/** bcrypt cuts at 72 bytes and at a zero byte; a digest in base64 has neither problem. */
function digest(password: string): string {
  return createHash("sha256").update(password.normalize("NFKC")).digest("base64");
}

/** Hashes a password, on a thread of libuv's pool: streams on the event loop go on meanwhile. */
export function hashPassword(password: string): Promise<string> {
  return bcrypt.hash(digest(password), cost);
}

const nobody = bcrypt.hash(digest("nobody has this password"), cost);

/**
 * Compares in the time of one hash, also for someone who does not exist or has no password, so that the
 * time tells nothing.
 */
export async function verifyPassword(
  password: string,
  passwordHash: string | null | undefined,
): Promise<boolean> {
  const matches = await bcrypt.compare(digest(password), passwordHash ?? (await nobody));
  return matches && passwordHash != null;
}
