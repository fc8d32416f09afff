import { toBoundedJson } from "./event-json.ts";
import type { EventValue } from "./event-value.ts";
import type { Redactor } from "./redact.ts";

/** An event that may leave the host. */
export interface PreparedEvent {
  readonly json: string;
  readonly bytes: number;
  readonly cut: boolean;
  readonly redacted: number;
  /** The same, for inferring a schema: without what was redacted. */
  readonly clean: EventValue;
}

/** What an event may have as JSON; above that it is cut. */
const maxEventBytes = 256 * 1024;

/** Redacts first: what is cut off could be the half by which a secret is known. */
export function prepareEvent(event: EventValue, redactor: Redactor): PreparedEvent {
  const { event: clean, redacted } = redactor.redact(event);
  const { json, cut } = toBoundedJson(clean, maxEventBytes);
  return { json, bytes: Buffer.byteLength(json), cut, redacted, clean };
}
