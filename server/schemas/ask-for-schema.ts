import type { HostFacts } from "#gen/vectorflow/agent/v1/host_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import type { ServerDeps } from "../deps.ts";
import type { AgentSession } from "../fleet/agent-session.ts";
import { claimSchema, storeSchema, storeSchemaError } from "./component-schemas.ts";

/** Asks a host for its Vector's schema when nobody has sent that version's yet. Never rejects. */
export async function askForSchema(
  deps: ServerDeps,
  session: Pick<AgentSession, "capabilities" | "inspection">,
  host: HostFacts | undefined,
): Promise<void> {
  const vector = host?.vector;
  if (!session.capabilities.includes(Capability.COMPONENT_SCHEMA)) return;
  // What the stand-in says of itself is not true of the version whose name it bears.
  if (vector === undefined || vector.version === "" || vector.simulated) return;
  try {
    const now = deps.clock.now();
    if (!(await claimSchema(deps.orm.em.fork(), vector.version, now))) return;
    session.inspection.orderSchema(vector.version);
  } catch (error) {
    deps.log.warn("cannot ask for a component schema", { version: vector.version, error });
  }
}

/** Keeps what the host answered: the schema, or why there is none. Never rejects. */
export async function keepSchema(
  deps: Pick<ServerDeps, "orm" | "clock" | "log">,
  vectorVersion: string,
  answer: Uint8Array | string,
): Promise<void> {
  const em = deps.orm.em.fork();
  try {
    if (typeof answer === "string") await storeSchemaError(em, vectorVersion, answer);
    else await storeSchema(em, vectorVersion, answer, deps.clock.now());
  } catch (error) {
    deps.log.warn("cannot store a component schema", { vectorVersion, error });
  }
}
