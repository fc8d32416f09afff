import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "#common/logger.ts";
import { recordOf, stringOf } from "../state/parse.ts";
import { helperCommand } from "./helper-command.ts";
import { escapeForYaml } from "./yaml-escape.ts";

const longestRequest = 256 * 1024;
const requestTimeoutMs = 10_000;
/** Socket paths end at 104 bytes on macOS and at 108 on Linux. */
const longestSocketPath = 100;

/**
 * Answers the helper that Vector starts to resolve `SECRET[…]`: values live in the agent's memory and
 * go over a Unix socket in a folder that only this account can enter. They are on no disk in clear, in
 * no environment and on no command line.
 */
export class SecretServer implements AsyncDisposable {
  readonly #log: Logger;
  readonly #byTicket = new Map<string, ReadonlyMap<string, string>>();
  #server: Server | undefined;
  #folder: string | undefined;
  #path = "";

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Listens below the data directory, or in a temporary folder when that path is too long. */
  async start(dataDir: string): Promise<void> {
    const below = join(dataDir, "run");
    if (Buffer.byteLength(join(below, "secrets.sock")) <= longestSocketPath) {
      await mkdir(below, { recursive: true, mode: 0o700 });
      await chmod(below, 0o700);
      this.#path = join(below, "secrets.sock");
      // Of an agent that died: the lock of the data directory says that none other runs.
      await rm(this.#path, { force: true });
    } else {
      this.#folder = await mkdtemp(join(tmpdir(), "vectorflow-"));
      this.#path = join(this.#folder, "secrets.sock");
    }
    const server = createServer((socket) => this.#serve(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(this.#path, resolve);
    await promise;
    server.on("error", (error) => this.#log.error("the secrets' socket failed", { error }));
    this.#server = server;
  }

  /** Makes a ticket under which one pipeline's process may ask, for what `offer` last gave it. */
  open(): SecretTicket {
    const ticket = randomBytes(16).toString("hex");
    return {
      command: [...helperCommand(), this.#path, ticket],
      offer: (secrets) => void this.#byTicket.set(ticket, secrets),
      [Symbol.dispose]: () => void this.#byTicket.delete(ticket),
    };
  }

  #serve(socket: Socket): void {
    let request = "";
    socket.setEncoding("utf8").setTimeout(requestTimeoutMs, () => socket.destroy());
    socket.on("error", () => {}); // A helper that was killed.
    socket.on("data", (text: string) => {
      request += text;
      if (request.length > longestRequest) socket.destroy();
      else if (request.endsWith("\n")) socket.end(this.#answer(request));
    });
  }

  #answer(request: string): string {
    try {
      const { ticket, secrets } = recordOf(JSON.parse(request));
      const values = this.#byTicket.get(stringOf(ticket));
      if (!Array.isArray(secrets)) throw new TypeError("expected a list of names");
      const pairs = secrets.map((name) => [name, answerFor(values, stringOf(name))] as const);
      return JSON.stringify(Object.fromEntries(pairs));
    } catch (error) {
      this.#log.warn("a request for secrets could not be read", { error });
      return "{}";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#byTicket.clear();
    const server = this.#server;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    await rm(this.#folder ?? this.#path, { recursive: true, force: true });
  }
}

/** What one pipeline has of the secret server. */
export interface SecretTicket extends Disposable {
  /** The command of Vector's exec backend. */
  readonly command: readonly string[];
  /** Sets the values that the next question is answered with. */
  offer(secrets: ReadonlyMap<string, string>): void;
}

function answerFor(
  values: ReadonlyMap<string, string> | undefined,
  name: string,
): { readonly value: string | null; readonly error: string | null } {
  const value = values?.get(name);
  if (value === undefined) return { value: null, error: "this host has no such secret" };
  if (value === "") return { value: null, error: "the secret is empty" };
  return { value: escapeForYaml(value), error: null };
}
