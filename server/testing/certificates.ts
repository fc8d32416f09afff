import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** A certificate with its key, in PEM. For tests: it is made anew for each, and lives an hour. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A private authority, and a certificate for 127.0.0.1 and localhost that it has signed. */
export function makeCertificates(): { readonly ca: string; readonly server: TestCertificate } {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const caName = name("VectorFlow test authority");
  const ca = certificate({
    issuer: caName,
    subject: caName,
    publicKey: authority.publicKey,
    signWith: authority.privateKey,
    extensions: [
      extension("2.5.29.19", sequence(bool(true)), true),
      // Key usage: signs certificates.
      extension("2.5.29.15", Buffer.from([0x03, 0x02, 0x02, 0x04]), true),
    ],
  });
  const leaf = certificate({
    issuer: caName,
    subject: name("localhost"),
    publicKey: server.publicKey,
    signWith: authority.privateKey,
    extensions: [
      extension(
        "2.5.29.17",
        sequence(tagged(0x82, Buffer.from("localhost")), tagged(0x87, Buffer.from([127, 0, 0, 1]))),
        false,
      ),
      extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1")), false),
    ],
  });
  const key = server.privateKey.export({ type: "pkcs8", format: "pem" });
  return { ca: pem(ca), server: { cert: pem(leaf), key } };
}

interface Parts {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly signWith: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** X.509 version 3 by RFC 5280, signed with ECDSA and SHA-256. */
function certificate({ issuer, subject, publicKey, signWith, extensions }: Parts): Buffer {
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    issuer,
    sequence(utcTime(new Date(now - 60_000)), utcTime(new Date(now + 3_600_000))),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", body, signWith);
  return sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

/** Tag, length, content: the whole of DER. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const sequence = (...items: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(items));
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const bool = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let more = part >> 7; more > 0; more >>= 7) groups.unshift((more & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function utcTime(time: Date): Buffer {
  const digits = time.toISOString().replaceAll(/[-:T]/g, "").slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function name(common: string): Buffer {
  return sequence(tagged(0x31, sequence(oid("2.5.4.3"), tagged(0x0c, Buffer.from(common)))));
}

function extension(id: string, content: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [bool(true)] : []), tagged(0x04, content));
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
