import type { Logger } from "#common/logger.ts";
import type { AgentChecks } from "./agent-checks.ts";
import type { AgentInspection } from "./agent-inspection.ts";
import type { EnvironmentState, NodeState } from "./desired-state.ts";

/** A connected agent, as the hub sees it. */
export interface HubSession {
  readonly nodeId: string;
  readonly environmentId: string;
  /** What people look at on this host. */
  readonly inspection: AgentInspection;
  /** Configurations that this host is asked about. */
  readonly checks: AgentChecks;
  /** Its agent can be asked, and obeys this server. */
  readonly canCheck: boolean;
  /** The newest desired state; the session sends what its agent lacks. */
  offer(environment: EnvironmentState, node: NodeState): void;
  /** Ends the session; the agent will come back unless it is told not to. */
  end(reason: "replaced" | "revoked" | "shutdown"): void;
  setHeartbeatInterval(intervalMs: number): void;
  /** Another machine wanted to be this node: people are told for a while. */
  noteRival(rival: string): void;
}

type ReadState = (
  environmentId: string,
  nodeIds: readonly string[],
) => Promise<{ environment: EnvironmentState; nodes: readonly NodeState[] }>;

/**
 * All agents that are connected to this replica. A change of an environment is read once and offered to all
 * its sessions; changes that come while one is being read are joined into the next reading.
 */
export class AgentHub {
  readonly #sessions = new Map<string, HubSession>();
  readonly #environments = new Map<string, Set<HubSession>>();
  readonly #refreshing = new Map<string, { again: boolean }>();
  readonly #readState: ReadState;
  readonly #log: Logger;

  constructor(readState: ReadState, log: Logger) {
    this.#readState = readState;
    this.#log = log;
  }

  get size(): number {
    return this.#sessions.size;
  }

  isConnected(nodeId: string): boolean {
    return this.#sessions.has(nodeId);
  }

  /** The session of a node that is connected to this replica. */
  session(nodeId: string): HubSession | undefined {
    return this.#sessions.get(nodeId);
  }

  /** The sessions of an environment's nodes that are connected to this replica. */
  sessionsOf(environmentId: string): readonly HubSession[] {
    return [...(this.#environments.get(environmentId) ?? [])];
  }

  /** A second session of a node ends the first: the newest is the one that lives. */
  add(session: HubSession): void {
    const before = this.#sessions.get(session.nodeId);
    this.#sessions.set(session.nodeId, session);
    if (before !== undefined) {
      this.#environments.get(before.environmentId)?.delete(before);
      before.end("replaced");
    }
    let members = this.#environments.get(session.environmentId);
    if (members === undefined) {
      members = new Set();
      this.#environments.set(session.environmentId, members);
    }
    members.add(session);
  }

  remove(session: HubSession): void {
    if (this.#sessions.get(session.nodeId) === session) this.#sessions.delete(session.nodeId);
    const members = this.#environments.get(session.environmentId);
    members?.delete(session);
    if (members?.size === 0) this.#environments.delete(session.environmentId);
  }

  revoke(nodeId: string): void {
    this.#sessions.get(nodeId)?.end("revoked");
  }

  setHeartbeatInterval(intervalMs: number): void {
    for (const session of this.#sessions.values()) session.setHeartbeatInterval(intervalMs);
  }

  endAll(): void {
    for (const session of this.#sessions.values()) session.end("shutdown");
  }

  /** Reads one node's state and offers it: what a session needs when it begins. */
  async offerTo(session: HubSession): Promise<void> {
    const { environment, nodes } = await this.#readState(session.environmentId, [session.nodeId]);
    const [node] = nodes;
    if (node === undefined) session.end("revoked");
    else session.offer(environment, node);
  }

  /** Something that an environment's nodes shall run may have changed (P4). */
  environmentChanged(environmentId: string): void {
    if (!this.#environments.has(environmentId)) return;
    const running = this.#refreshing.get(environmentId);
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const refresh = { again: false };
    this.#refreshing.set(environmentId, refresh);
    void this.#refresh(environmentId, refresh);
  }

  everythingChanged(): void {
    for (const environmentId of this.#environments.keys()) this.environmentChanged(environmentId);
  }

  /** Never rejects: a state that cannot be read leaves every agent as it is (P2), and is read again. */
  async #refresh(environmentId: string, refresh: { again: boolean }): Promise<void> {
    try {
      do {
        refresh.again = false;
        const { environment, nodes } = await this.#readState(environmentId, []);
        for (const node of nodes) {
          const session = this.#sessions.get(node.nodeId);
          if (session?.environmentId === environmentId) session.offer(environment, node);
        }
      } while (refresh.again);
    } catch (error) {
      this.#log.error("cannot read the desired state", { environmentId, error });
      setTimeout(() => this.environmentChanged(environmentId), 1000).unref();
    } finally {
      this.#refreshing.delete(environmentId);
    }
  }
}
