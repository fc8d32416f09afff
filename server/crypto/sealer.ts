import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

/**
 * Encrypts what is kept at rest: AES-256-GCM with a random nonce, keys by HKDF-SHA-256 from the server's secret.
 *
 * A sealed text is `v1.<key id>.<nonce, ciphertext and tag in base64url>`. The key id tells which secret made it, so
 * that the secret can change while texts of the one before are still read. `context` names the row and column and is
 * authenticated: a text that is moved to another row does not open.
 */
export class Sealer {
  readonly #current: Key;
  readonly #keys: ReadonlyMap<string, Key>;

  /** @param previous secrets that were used before, to read what they sealed. */
  constructor(secret: string, previous: readonly string[] = []) {
    this.#current = deriveKey(secret);
    this.#keys = new Map(
      [this.#current, ...previous.map(deriveKey)].map((key) => [key.id, key] as const),
    );
  }

  seal(context: string, value: string | Uint8Array): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#current.bytes, nonce);
    cipher.setAAD(Buffer.from(context));
    const sealed = Buffer.concat([
      nonce,
      cipher.update(value),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return `v1.${this.#current.id}.${sealed.toString("base64url")}`;
  }

  /** Whether a text was sealed by the newest secret. */
  isCurrent(text: string): boolean {
    return text.split(".")[1] === this.#current.id;
  }

  /** Throws a SealError when the text is of another secret, another context, or was changed. */
  open(context: string, text: string): Buffer {
    const [version, keyId = "", body = ""] = text.split(".");
    const key = this.#keys.get(keyId);
    if (version !== "v1" || key === undefined) {
      throw new SealError(
        "a stored value was encrypted with another secret: set VECTORFLOW_SECRET, or VECTORFLOW_SECRET_PREVIOUS, to the one it was made with",
      );
    }
    const sealed = Buffer.from(body, "base64url");
    try {
      const decipher = createDecipheriv("aes-256-gcm", key.bytes, sealed.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      return Buffer.concat([
        decipher.update(sealed.subarray(nonceBytes, -tagBytes)),
        decipher.final(),
      ]);
    } catch (cause) {
      throw new SealError("a stored value was changed outside of VectorFlow", { cause });
    }
  }
}

/** Whether a sealed text has this value; false when it does not open. */
export function isSealed(sealer: Sealer, context: string, text: string, value: string): boolean {
  try {
    return sealer.open(context, text).equals(Buffer.from(value));
  } catch (error) {
    if (error instanceof SealError) return false;
    throw error;
  }
}

/** A sealed text that does not open. */
export class SealError extends Error {
  override readonly name = "SealError";
}

function deriveKey(secret: string): Key {
  const derive = (info: string, length: number): Buffer =>
    Buffer.from(hkdfSync("sha256", secret, "vectorflow", info, length));
  return { id: derive("key id", 6).toString("base64url"), bytes: derive("at rest", 32) };
}
