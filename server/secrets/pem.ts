import { X509Certificate, createPrivateKey } from "node:crypto";

export const fileTypes = ["ca", "cert", "key"] as const;
export type FileType = (typeof fileTypes)[number];

/** What everyone may know of a certificate. Times are ISO 8601. */
export interface CertificateDetails {
  readonly subject: string;
  readonly issuer: string;
  /** Host names and addresses that it is for. */
  readonly names: readonly string[];
  readonly notBefore: string;
  /** The earliest end of all certificates in the file. */
  readonly notAfter: string;
  /** SHA-256 of the first certificate, in pairs with colons. */
  readonly fingerprint: string;
  readonly certificateCount: number;
}

export type ParsedPem =
  | { readonly kind: "certificates"; readonly details: CertificateDetails }
  | { readonly kind: "key" }
  | { readonly kind: "invalid"; readonly message: string };

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** Reads a file in PEM as what it is said to be. Messages name no content of it. */
export function parsePem(content: string, fileType: FileType): ParsedPem {
  const blocks = Array.from(content.matchAll(block), ([text, label = ""]) => ({ text, label }));
  if (blocks.length === 0) {
    return invalid("is not PEM: it must have a part between -----BEGIN …----- and -----END …-----");
  }
  const keys = blocks.filter(({ label }) => label.endsWith("PRIVATE KEY"));
  if (fileType === "key") return parseKey(blocks.length, keys);
  if (keys.length > 0) {
    return invalid("holds a private key: store that as a certificate of the type key");
  }
  const certificates: X509Certificate[] = [];
  for (const [index, { text, label }] of blocks.entries()) {
    if (!/^(X509 |TRUSTED )?CERTIFICATE$/.test(label)) {
      return invalid(`holds a part of the kind ${label}, which is no certificate`);
    }
    try {
      certificates.push(new X509Certificate(text));
    } catch {
      return invalid(`cannot be read: certificate ${index + 1} of ${blocks.length} is damaged`);
    }
  }
  const [first] = certificates;
  if (first === undefined) return invalid("holds no certificate");
  return { kind: "certificates", details: detailsOf(first, certificates) };
}

function parseKey(blockCount: number, keys: readonly { text: string; label: string }[]): ParsedPem {
  const [key] = keys;
  if (key === undefined) return invalid("holds no private key");
  if (keys.length > 1 || blockCount > keys.length) {
    return invalid("must hold one private key and nothing else");
  }
  // Its passphrase is given to Vector, not to us.
  if (key.label.startsWith("ENCRYPTED") || key.text.includes("Proc-Type: 4,ENCRYPTED")) {
    return { kind: "key" };
  }
  try {
    createPrivateKey(key.text);
    return { kind: "key" };
  } catch {
    return invalid("cannot be read: the private key is damaged");
  }
}

function detailsOf(first: X509Certificate, all: readonly X509Certificate[]): CertificateDetails {
  const ends = all.map(({ validToDate }) => validToDate.getTime());
  return {
    subject: oneLine(first.subject),
    issuer: oneLine(first.issuer),
    names: (first.subjectAltName ?? "")
      .split(", ")
      .map((name) => name.replace(/^(DNS|IP Address):/, ""))
      .filter((name) => name !== "")
      .slice(0, 100),
    notBefore: first.validFromDate.toISOString(),
    notAfter: new Date(Math.min(...ends)).toISOString(),
    fingerprint: first.fingerprint256,
    certificateCount: all.length,
  };
}

/** Node writes a name's parts on lines of their own. */
function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").filter(Boolean).join(", ").slice(0, 500);
}

function invalid(message: string): ParsedPem {
  return { kind: "invalid", message };
}
