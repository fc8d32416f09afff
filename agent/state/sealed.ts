import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;

/** A key for AES-256-GCM, derived from the node token. */
export function keyFromToken(nodeToken: string): Buffer {
  return Buffer.from(hkdfSync("sha256", nodeToken, "vectorflow-agent", "state sealing v1", 32));
}

/** A random key for AES-256-GCM. */
export function newKey(): Buffer {
  return randomBytes(32);
}

/**
 * Encrypts and authenticates. `place` says where the ciphertext belongs, so that one cannot be put
 * in the place of another.
 */
export function seal(key: Buffer, content: Uint8Array, place: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(place));
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** A sealed value cannot be opened: the key or the place is another, or a byte has changed. */
export class SealError extends Error {
  override readonly name = "SealError";
}

/** Opens what was sealed, or throws a SealError. */
export function unseal(key: Buffer, sealed: string, place: string): Buffer {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes.length < nonceBytes + tagBytes) throw new SealError("a sealed value is too short");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes))
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    const opened = decipher.update(bytes.subarray(nonceBytes + tagBytes));
    return Buffer.concat([opened, decipher.final()]);
  } catch (cause) {
    throw new SealError("a sealed value cannot be opened with this key", { cause });
  }
}
