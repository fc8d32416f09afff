import { createHmac, hkdfSync } from "node:crypto";

/**
 * Tells whether a secret value is the same as before without telling anything of it: HMAC-SHA-256 under a key
 * by HKDF from the server's secret. A plain hash of a short value could be guessed from a hash that agents and
 * people see. `context` keeps equal values of two things apart.
 */
export class KeyedDigest {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = Buffer.from(hkdfSync("sha256", secret, "vectorflow", "value digest", 32));
  }

  /** 64 hexadecimal characters. */
  digest(context: string, value: string | Uint8Array): string {
    return createHmac("sha256", this.#key).update(`${context}\0`).update(value).digest("hex");
  }
}
