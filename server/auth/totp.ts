import { createHash, randomInt, timingSafeEqual } from "node:crypto";
import { Secret, TOTP } from "otpauth";

const periodSeconds = 30;
/** Clocks may differ by one step in each direction. */
const tolerance = 1;
const backupCodeCount = 10;
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

/** A new secret of 160 random bits, in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

function totp(secret: string, email = ""): TOTP {
  return new TOTP({
    issuer: "VectorFlow",
    label: email,
    algorithm: "SHA1",
    digits: 6,
    period: periodSeconds,
    secret: Secret.fromBase32(secret),
  });
}

/** What authenticator apps read from the QR code. */
export function totpUri(secret: string, email: string): string {
  return totp(secret, email).toString();
}

/**
 * The step that a code belongs to, or undefined when it is wrong or belongs to no step after `lastStep`: a code
 * that was used, and every one before it, never works again.
 */
export function acceptedStep(
  secret: string,
  code: string,
  now: Date,
  lastStep: number | undefined,
): number | undefined {
  const token = code.replaceAll(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = totp(secret).validate({ token, timestamp: now.getTime(), window: tolerance });
  if (delta === null) return undefined;
  const step = Math.floor(now.getTime() / 1000 / periodSeconds) + delta;
  return lastStep !== undefined && step <= lastStep ? undefined : step;
}

/** The code of a moment; for tests and for programs that sign in. */
export function totpCode(secret: string, now: Date): string {
  return totp(secret).generate({ timestamp: now.getTime() });
}

/** Ten codes for the day that the phone is lost: about 49 random bits each. */
export function newBackupCodes(): string[] {
  const group = (): string =>
    Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return Array.from({ length: backupCodeCount }, () => `${group()}-${group()}`);
}

/** What is kept of a backup code, inside what is encrypted anyway. */
export function hashBackupCode(code: string): string {
  const plain = code.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return createHash("sha256").update(plain).digest("base64url");
}

/** The hashes without the one of this code, or undefined when none is of it. */
export function withoutBackupCode(hashes: readonly string[], code: string): string[] | undefined {
  const wanted = Buffer.from(hashBackupCode(code));
  const rest = hashes.filter((hash) => {
    const kept = Buffer.from(hash);
    return kept.length !== wanted.length || !timingSafeEqual(kept, wanted);
  });
  return rest.length === hashes.length ? undefined : rest;
}
