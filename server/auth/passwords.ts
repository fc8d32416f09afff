import { createHash } from "node:crypto";
import bcrypt from "bcrypt";

/** About a quarter of a second on a server's core. */
const defaultCost = 12;

/** bcrypt cuts at 72 bytes and at a zero byte; a digest in base64 has neither problem. */
function digest(password: string): string {
  return createHash("sha256").update(password.normalize("NFKC")).digest("base64");
}

/**
 * Hashes and compares passwords, on threads of libuv's pool: streams on the event loop go on meanwhile. One cost for
 * all hashes, so that a sign-in takes the same time whoever tries.
 */
export class Passwords {
  readonly #cost: number;
  readonly #nobody: Promise<string>;

  /** `cost` is bcrypt's: the logarithm of the work. */
  constructor(cost = defaultCost) {
    this.#cost = cost;
    this.#nobody = bcrypt.hash(digest("nobody has this password"), cost);
  }

  hash(password: string): Promise<string> {
    return bcrypt.hash(digest(password), this.#cost);
  }

  /**
   * Compares in the time of one hash, also for someone who does not exist or has no password, so that the time tells
   * nothing.
   */
  async verify(password: string, passwordHash: string | null | undefined): Promise<boolean> {
    const matches = await bcrypt.compare(digest(password), passwordHash ?? (await this.#nobody));
    return matches && passwordHash != null;
  }
}
