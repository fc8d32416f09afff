/** What this agent takes from any server, whatever the server says. */

/** Shorter would make a flood of its own, longer would look dead; 2³¹ ms and more would be no pause at all. */
const shortestIntervalMs = 200;
const longestIntervalMs = 600_000;
const defaultLogCredit = 1000;
const mostLogCredit = 10_000;

/** A heartbeat interval within reason; undefined when the server says nothing. */
export function saneInterval(ms: number): number | undefined {
  if (!Number.isFinite(ms) || ms <= 0) return undefined;
  return Math.min(Math.max(ms, shortestIntervalMs), longestIntervalMs);
}

/** Counters over a time that the clock jumped in are rates of nothing: a gap is the truth (P7). */
export function isMeasured(intervalMs: number): boolean {
  return intervalMs > 0 && intervalMs <= longestIntervalMs * 2;
}

/** Lines under way without an ack. No credit means that the server does not say. */
export function saneCredit(lines: number | undefined, before = defaultLogCredit): number {
  return lines === undefined || lines <= 0 ? before : Math.min(lines, mostLogCredit);
}

/** Ids of commands are remembered, so that they are bounded. */
export const maximumIdLength = 200;
export const maximumCommandsUnderWay = 100;

/** Messages that wait for a server which does not read. More end the session. */
export const maximumWaitingMessages = 5000;

/** Desired states that wait; the transport holds back the rest. */
export const maximumWaitingStates = 2;

/** The largest that a server's database and numbers hold. */
export const maximumGeneration = BigInt(Number.MAX_SAFE_INTEGER);
export const maximumPipelines = 2000;
/** As much as any server of this version sends. */
export { maximumConfigBytes } from "#common/pipeline-size.ts";
export const maximumSecrets = 1000;
export const maximumSecretBytes = 1024 * 1024;
export const maximumCertificates = 200;
export const maximumCertificateBytes = 1024 * 1024;
/** Bodies of one change, over all its messages. */
export const maximumChangeBytes = 64 * 1024 * 1024;
