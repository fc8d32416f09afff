import type { ServerDeps } from "../deps.ts";
import { readRedaction } from "./redaction.ts";
import { findSampleOrder, findWaiting, storeSample, type SampledComponent } from "./samples.ts";

/** Sends the order when this replica has the session of the host. Never rejects. */
export async function dispatchSample(
  deps: ServerDeps,
  change: { readonly nodeId: string; readonly requestId: string },
): Promise<void> {
  const { nodeId, requestId } = change;
  if (!deps.hub.isConnected(nodeId)) return;
  try {
    const em = deps.orm.em.fork();
    const order = await findSampleOrder(em, requestId, nodeId, deps.clock.now());
    if (order === undefined) return;
    const redaction = await readRedaction({ em }, order.environmentId);
    deps.hub.session(nodeId)?.inspection.orderSample(order, redaction);
  } catch (error) {
    deps.log.error("cannot ask for a sample", { nodeId, requestId, error });
  }
}

/** What waited for a host that has just come. Never rejects. */
export async function dispatchWaiting(deps: ServerDeps, nodeId: string): Promise<void> {
  try {
    const now = deps.clock.now();
    for (const requestId of await findWaiting(deps.orm.em.fork(), nodeId, now)) {
      await dispatchSample(deps, { nodeId, requestId });
    }
  } catch (error) {
    deps.log.error("cannot look for samples that wait", { nodeId, error });
  }
}

/** Keeps what a host answered. Never rejects. */
export async function keepSample(
  deps: Pick<ServerDeps, "orm" | "clock" | "log">,
  answer: {
    readonly requestId: string;
    readonly nodeId: string;
    readonly error: string | null;
    readonly components: readonly SampledComponent[];
  },
): Promise<void> {
  const now = deps.clock.now();
  try {
    await storeSample(deps.orm.em.fork(), answer, now);
  } catch (error) {
    deps.log.error("cannot store a sample", { requestId: answer.requestId, error });
    const failed = { ...answer, components: [], error: "the answer of the host cannot be stored" };
    await storeSample(deps.orm.em.fork(), failed, now).catch(() => {}); // It expires by itself.
  }
}
