import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP } from "node:net";

/** A certificate authority of a test's own. */
export interface Authority {
  readonly certificate: string;
  /** Issues a server's certificate for names and addresses, signed by this authority. */
  issue(
    names: readonly string[],
    validDays?: number,
  ): { readonly certificate: string; readonly key: string };
}

const dayMs = 86_400_000;

/** DER: a tag, a length and the content. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body]);
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length]), digits, body]);
}

const sequence = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content);
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes));
const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const commonName = oid(0x55, 0x04, 0x03);

function time(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  return der(0x18, Buffer.from(`${text}Z`));
}

function name(text: string): Buffer {
  return sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))));
}

function extension(id: number, critical: boolean, value: Buffer): Buffer {
  const mark = critical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(0x55, 0x1d, id), ...mark, der(0x04, value));
}

function alternative(text: string): Buffer {
  return isIP(text) === 4
    ? der(0x87, Buffer.from(text.split(".").map(Number)))
    : der(0x82, Buffer.from(text));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

interface Request {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly validDays: number;
  readonly extensions: readonly Buffer[];
}

function certificate(request: Request): string {
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)]);
  const now = Date.now();
  const notAfter = new Date(now + request.validDays * dayMs);
  const notBefore = new Date(Math.min(now, notAfter.getTime()) - 2 * dayMs);
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    name(request.issuer),
    sequence(time(notBefore), time(notAfter)),
    name(request.subject),
    request.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...request.extensions)),
  );
  const signature = sign("sha256", content, request.signer);
  const bits = der(0x03, Buffer.from([0]), signature);
  return pem("CERTIFICATE", sequence(content, ecdsaWithSha256, bits));
}

/** Makes an authority and certificates in memory, so that no key has to be kept in the repository. */
export function createAuthority(): Authority {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = `Test authority ${createHash("sha256").update(randomBytes(8)).digest("hex").slice(0, 8)}`;
  const isAuthority = extension(0x13, true, sequence(der(0x01, Buffer.from([0xff]))));
  return {
    certificate: certificate({
      subject: issuer,
      issuer,
      publicKey: own.publicKey,
      signer: own.privateKey,
      validDays: 30,
      extensions: [isAuthority],
    }),
    issue(names, validDays = 60) {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return {
        certificate: certificate({
          subject: names[0] ?? "server",
          issuer,
          publicKey: pair.publicKey,
          signer: own.privateKey,
          validDays,
          extensions: [extension(0x11, false, sequence(...names.map(alternative)))],
        }),
        key: pair.privateKey.export({ type: "pkcs8", format: "pem" }),
      };
    },
  };
}
