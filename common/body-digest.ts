import { createHash, type Hash } from "node:crypto";

/** What a digest is taken over: all that an agent gets to run one pipeline. */
export interface DigestedBody {
  readonly configYaml: string;
  readonly logLevel: string;
  readonly secrets: Iterable<readonly [name: string, value: Uint8Array]>;
  readonly certificates: readonly {
    readonly name: string;
    readonly filename: string;
    readonly content: Uint8Array;
  }[];
}

/**
 * SHA-256 over a body, as docs/agent-protocol.md defines it. Every part has its length before it, so that no two
 * bodies have one text; secrets go by name, since a map has no order on the wire.
 */
export function bodyDigest(body: DigestedBody): Buffer {
  const hash = createHash("sha256").update("vectorflow body 1\n");
  add(hash, body.configYaml);
  add(hash, body.logLevel);
  const secrets = [...body.secrets]
    .map(([name, value]) => ({ name: Buffer.from(name), value }))
    .toSorted((a, b) => Buffer.compare(a.name, b.name));
  addNumber(hash, secrets.length);
  for (const { name, value } of secrets) {
    add(hash, name);
    add(hash, value);
  }
  addNumber(hash, body.certificates.length);
  for (const { name, filename, content } of body.certificates) {
    add(hash, name);
    add(hash, filename);
    add(hash, content);
  }
  return hash.digest();
}

function add(hash: Hash, part: string | Uint8Array): void {
  const bytes = typeof part === "string" ? Buffer.from(part) : part;
  addNumber(hash, bytes.length);
  hash.update(bytes);
}

function addNumber(hash: Hash, value: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  hash.update(bytes);
}
