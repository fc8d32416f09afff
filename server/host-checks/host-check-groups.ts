/** One problem as a host tells it. */
export interface HostProblem {
  readonly componentId: string;
  readonly field: string;
  readonly message: string;
}

/** How a unit test ended on a host. */
export interface HostTest {
  readonly name: string;
  readonly passed: boolean;
  /** What Vector says of it; empty when it passed. */
  readonly message: string;
}

/** What a host said, or why it said nothing. */
export type HostVerdict =
  | "accepted"
  | "refused"
  /** It could not check it. */
  | "failed"
  | "not_connected"
  /** Its agent cannot check configurations. */
  | "too_old"
  /** It was asked, and the time was over. */
  | "no_answer";

export interface HostAnswer {
  readonly nodeName: string;
  readonly verdict: HostVerdict;
  readonly reason: string;
  readonly problems: readonly HostProblem[];
  readonly vectorVersion: string;
}

/** Hosts that said the same. */
export interface HostGroup {
  readonly verdict: HostVerdict;
  readonly componentKey: string;
  readonly field: string;
  /** Empty for hosts that would take it. */
  readonly message: string;
  /** Of hosts that would take it; empty otherwise. */
  readonly vectorVersion: string;
  /** At most 20, by name. */
  readonly nodeNames: readonly string[];
  readonly nodeCount: number;
}

const shownNames = 20;
/** Different causes that people read; more tell nobody more. */
const maximumGroups = 100;
const rank: Readonly<Record<HostVerdict, number>> = {
  refused: 0,
  failed: 1,
  no_answer: 2,
  too_old: 3,
  not_connected: 4,
  accepted: 5,
};

interface Group {
  readonly first: Omit<HostGroup, "nodeNames" | "nodeCount">;
  readonly names: string[];
}

/**
 * Gathers answers by their cause: the same cause on 900 hosts is one group. A host with several problems is in the
 * group of each. Pure but for what it holds.
 */
export class HostGroups {
  readonly #groups = new Map<string, Group>();

  add({ nodeName, verdict, reason, problems, vectorVersion }: HostAnswer): void {
    const accepted = verdict === "accepted";
    const causes =
      problems.length > 0 && !accepted
        ? problems
        : [{ componentId: "", field: "", message: accepted ? "" : reason }];
    const keys = new Set<string>();
    for (const { componentId, field, message } of causes) {
      const first = {
        verdict,
        componentKey: componentId,
        field,
        message,
        vectorVersion: accepted ? vectorVersion : "",
      };
      const key = JSON.stringify(Object.values(first));
      if (keys.has(key)) continue;
      keys.add(key);
      let group = this.#groups.get(key);
      if (group === undefined) {
        group = { first, names: [] };
        this.#groups.set(key, group);
      }
      group.names.push(nodeName);
    }
  }

  /** What people have to act on first, and of that what most hosts say. */
  list(): readonly HostGroup[] {
    return [...this.#groups.values()]
      .toSorted(
        (a, b) =>
          rank[a.first.verdict] - rank[b.first.verdict] ||
          b.names.length - a.names.length ||
          (a.first.message < b.first.message ? -1 : 1),
      )
      .slice(0, maximumGroups)
      .map(({ first, names }) => ({
        ...first,
        nodeNames: names.toSorted((a, b) => a.localeCompare(b, "en")).slice(0, shownNames),
        nodeCount: names.length,
      }));
  }
}
