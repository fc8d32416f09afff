import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  at,
  failed,
  isRecord,
  type Loaded,
  number,
  ok,
  type Options,
  strings,
  text,
} from "./config.ts";

const placeholder = /SECRET\[([\w-]+)\.([\w.\-/]+)\]/g;

export type Secrets = ReadonlyMap<string, string>;

/** The keys that a raw text asks for, by backend; comments count too. */
export function secretKeys(raw: string): ReadonlyMap<string, ReadonlySet<string>> {
  const keys = new Map<string, Set<string>>();
  for (const [, backend = "", key = ""] of raw.matchAll(placeholder)) {
    keys.set(backend, (keys.get(backend) ?? new Set()).add(key));
  }
  return keys;
}

/** Pastes the values into the text. */
export function substitute(raw: string, secrets: Secrets): Loaded<string> {
  const errors: string[] = [];
  const value = raw.replaceAll(placeholder, (whole, backend: string, key: string) => {
    const secret = secrets.get(`${backend}.${key}`);
    if (secret === undefined) errors.push(`Unable to find secret replacement for ${whole}.`);
    return secret ?? "";
  });
  return errors.length > 0 ? failed(...errors) : ok(value);
}

/** Asks each backend once for all its keys. The first failure ends it, as in Vector. */
export async function retrieveSecrets(
  raw: string,
  backends: Readonly<Record<string, unknown>>,
  warn: (message: string) => void,
): Promise<Loaded<Secrets>> {
  const secrets = new Map<string, string>();
  for (const [name, keys] of secretKeys(raw)) {
    const backend = backends[name];
    if (!isRecord(backend)) {
      return failed(
        `Backend "${name}" is required for secret retrieval but was not found in config.`,
      );
    }
    try {
      for (const [key, value] of await retrieve(backend, [...keys], warn))
        secrets.set(`${name}.${key}`, value);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      return failed(`Error while retrieving secret from backend "${name}": ${cause}.`);
    }
  }
  return ok(secrets);
}

type Pairs = readonly (readonly [string, string])[];

async function retrieve(
  backend: Options,
  keys: readonly string[],
  warn: (message: string) => void,
): Promise<Pairs> {
  switch (backend["type"]) {
    case "exec":
      return pick(await runExec(backend, keys, warn), keys);
    case "file": {
      const values: unknown = JSON.parse(await readFile(text(backend, "path") ?? "", "utf8"));
      return keys.map((key) => [key, nonEmpty(key, isRecord(values) ? values[key] : undefined)]);
    }
    case "directory":
      return Promise.all(
        keys.map(async (key) => {
          const value = await readFile(join(text(backend, "path") ?? "", key), "utf8");
          return [
            key,
            nonEmpty(key, backend["remove_trailing_whitespace"] === true ? value.trimEnd() : value),
          ] as const;
        }),
      );
    default:
      throw new Error(`vector-sim does not run the secret backend "${String(backend["type"])}"`);
  }
}

function nonEmpty(key: string, value: unknown): string {
  if (value === undefined) throw new Error(`secret for key '${key}' was not retrieved`);
  if (typeof value !== "string" || value === "")
    throw new Error(`secret for key '${key}' was empty`);
  return value;
}

function pick(response: unknown, keys: readonly string[]): Pairs {
  return keys.map((key) => {
    const answer = isRecord(response) ? response[key] : undefined;
    if (!isRecord(answer)) throw new Error(`secret for key '${key}' was not retrieved`);
    if (typeof answer["error"] === "string")
      throw new Error(`secret for key '${key}' was not retrieved: ${answer["error"]}`);
    return [key, nonEmpty(key, answer["value"] ?? "")];
  });
}

/** The exec protocol: one JSON document in, one out. The exit status does not matter. */
async function runExec(
  backend: Options,
  keys: readonly string[],
  warn: (message: string) => void,
): Promise<unknown> {
  const [command = "", ...args] = strings(backend, "command");
  const v11 = text(backend, "protocol.version") === "v1_1";
  const query = {
    version: v11 ? "1.1" : "1.0",
    secrets: keys,
    ...(v11
      ? {
          type: at(backend, "protocol.backend_type"),
          config: at(backend, "protocol.backend_config"),
        }
      : {}),
  };
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const output = await new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const timer = setTimeout(
      () => {
        child.kill("SIGKILL");
        reject(new Error("Command timed-out"));
      },
      number(backend, "timeout", 5) * 1000,
    );
    const settle = (then: () => void) => (): void => {
      clearTimeout(timer);
      then();
    };
    child.once("error", (error) => settle(() => reject(new Error(osMessage(error))))());
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stdout.once(
      "end",
      settle(() => resolve(Buffer.concat(chunks).toString())),
    );
    child.stderr.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().split("\n").filter(Boolean)) {
        warn(`An exec backend generated message on stderr: ${line}.`);
      }
    });
    // A backend that does not read its input is none of our business.
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(query));
  });
  try {
    return JSON.parse(output);
  } catch {
    throw new Error(
      output === ""
        ? "EOF while parsing a value at line 1 column 0"
        : "expected value at line 1 column 1",
    );
  }
}

/** Rust's words for the system's errors. */
export function osMessage(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "No such file or directory (os error 2)",
    EACCES: "Permission denied (os error 13)",
    EADDRINUSE: "Address already in use (os error 98)",
    EADDRNOTAVAIL: "Cannot assign requested address (os error 99)",
    ECONNREFUSED: "Connection refused (os error 111)",
    ECONNRESET: "Connection reset by peer (os error 104)",
  };
  return words[code] ?? (error instanceof Error ? error.message : String(error));
}
