import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Prefixes by which a leaked token can be found and told apart. */
export type TokenKind = "vfa" | "vfe" | "vfn" | "vfs" | "vft";

/** A new token of 256 random bits: `vfa` API, `vfe` enrollment, `vfn` node, `vfs` session, `vft` first run. */
export function newToken(kind: TokenKind): string {
  return `${kind}_${randomBytes(32).toString("base64url")}`;
}

/** What is stored of a token. Looked up by equality; 256 random bits need no slow hash. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Whether a token has this stored hash, in constant time. */
export function matchesHash(token: string, stored: string): boolean {
  const a = Buffer.from(hashToken(token), "hex");
  const b = Buffer.from(stored, "hex");
  return a.length === b.length && timingSafeEqual(a, b);
}
