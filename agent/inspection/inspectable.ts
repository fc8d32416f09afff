import type { Logger } from "#common/logger.ts";
import { ApiUnavailableError, type ApiLease } from "../process/api-lease.ts";
import { boundedText, messageOf } from "../text.ts";

/** A pipeline whose process can be looked into. */
export interface Inspectable {
  readonly process: object | undefined;
  openApi(signal: AbortSignal): Promise<ApiLease>;
}

/** A request that cannot be served. The message is for people. */
export class InspectionError extends Error {
  override readonly name = "InspectionError";
}

/** An apply goes first, and lasts for its probation at least. */
const leaseMs = 20_000;

/** Waits until the API of the process listens; throws what is in the way, in words. */
export async function leaseApi(
  runner: Inspectable | undefined,
  signal: AbortSignal,
): Promise<ApiLease> {
  if (runner === undefined) throw new InspectionError("the pipeline is not on this host");
  if (runner.process === undefined) throw new InspectionError("the pipeline does not run");
  const late = AbortSignal.timeout(leaseMs);
  try {
    return await runner.openApi(AbortSignal.any([signal, late]));
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    throw new InspectionError("the pipeline is being changed: try again in a moment", {
      cause: error,
    });
  }
}

/** An error in words for the server; one that nobody expects is logged too. */
export function describeProblem(
  log: Logger,
  what: string,
  error: unknown,
  over: AbortSignal,
): string {
  const expected = error instanceof InspectionError || error instanceof ApiUnavailableError;
  if (!expected && !over.aborted) log.warn(what, { error });
  return boundedText(messageOf(error), 1024);
}

/** Whether an id of a tap or terminal can be one. */
export function isUsableOrderId(id: string): boolean {
  return id !== "" && id.length <= 128;
}

/** A number of a message within its bounds; zero means that none was given. */
export function within(value: number, fallback: number, minimum: number, maximum: number): number {
  return Math.min(maximum, Math.max(minimum, value === 0 ? fallback : value));
}
