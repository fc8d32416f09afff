import { join } from "node:path";
import type { Clock } from "#common/clock.ts";
import { Latest } from "#common/latest.ts";
import type { Logger } from "#common/logger.ts";
import { version } from "#common/version.ts";
import { readIfPresent, writeFileAtomically } from "../state/atomic-file.ts";
import { recordOf, stringOf } from "../state/parse.ts";
import { boundedText } from "../text.ts";

/** What is known of the session, for the health page and for `status`. */
export interface Connection {
  readonly isOpen: boolean;
  /** Since when it is as it is. */
  readonly since: Date;
  readonly lastOpenedAt: Date | undefined;
  /** Why the last session ended, or was not to be had. */
  readonly reason: string;
}

/** Whether a session with the server is open. */
export class ConnectionState {
  readonly changes = new Latest<void>();
  readonly #clock: Clock;
  #current: Connection;

  constructor(clock: Clock) {
    this.#clock = clock;
    const since = clock.now();
    this.#current = { isOpen: false, since, lastOpenedAt: undefined, reason: "" };
  }

  get current(): Connection {
    return this.#current;
  }

  opened(): void {
    const now = this.#clock.now();
    this.#current = { isOpen: true, since: now, lastOpenedAt: now, reason: "" };
    this.changes.put();
  }

  closed(reason: string): void {
    const { isOpen, since, lastOpenedAt, reason: before } = this.#current;
    const text = boundedText(reason, 500);
    if (!isOpen && text === before) return;
    this.#current = {
      isOpen: false,
      since: isOpen ? this.#clock.now() : since,
      lastOpenedAt,
      reason: text,
    };
    this.changes.put();
  }
}

/** What `status` reads of it. */
export interface ConnectionRecord {
  readonly server: string;
  readonly state: string;
  readonly since: string;
  readonly lastConnected: string;
  readonly reason: string;
  readonly agentVersion: string;
}

const fileName = "connection.json";

/** Keeps the state of the session on disk. A full disk costs the record and nothing else. */
export async function recordConnection(
  connection: ConnectionState,
  config: { readonly dataDir: string; readonly server: string },
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const before = await readConnection(config.dataDir);
  for (;;) {
    await connection.changes.take(signal);
    const { isOpen, since, lastOpenedAt, reason } = connection.current;
    const record: ConnectionRecord = {
      server: config.server,
      state: isOpen ? "connected" : "not connected",
      since: since.toISOString(),
      lastConnected: lastOpenedAt?.toISOString() ?? before?.lastConnected ?? "",
      reason,
      agentVersion: version,
    };
    await writeFileAtomically(join(config.dataDir, fileName), JSON.stringify(record)).catch(
      (error: unknown) => log.warn("cannot record the state of the connection", { error }),
    );
  }
}

/** What was recorded last; undefined when nothing usable was. */
export async function readConnection(dataDir: string): Promise<ConnectionRecord | undefined> {
  try {
    const text = await readIfPresent(join(dataDir, fileName));
    if (text === undefined) return undefined;
    const record = recordOf(JSON.parse(text));
    return {
      server: stringOf(record["server"]),
      state: stringOf(record["state"]),
      since: stringOf(record["since"]),
      lastConnected: stringOf(record["lastConnected"]),
      reason: stringOf(record["reason"]),
      agentVersion: stringOf(record["agentVersion"]),
    };
  } catch {
    return undefined; // Half a file, or another account's: it is only for people to look at.
  }
}
