import type { EntityManager } from "@mikro-orm/postgresql";
import { laterText } from "#common/policy/addresses.ts";
import { checkPolicy } from "#common/policy/check-policy.ts";
import type { PolicyProblem } from "#common/policy/place-rules.ts";
import type { HostPolicy } from "#common/policy/policy.ts";
import { readConfig } from "#common/policy/read-config.ts";

/** One cause for which hosts would refuse a configuration. */
export interface PolicyRefusal extends PolicyProblem {
  /** At most 20. */
  readonly nodeNames: readonly string[];
  readonly nodeCount: number;
}

export interface PolicyPreview {
  /** The cause that most hosts have first. */
  readonly refusals: readonly PolicyRefusal[];
  readonly refusingNodeCount: number;
}

interface PolicyRow {
  readonly policy: HostPolicy;
  readonly names: readonly string[];
}

/** Hosts of a fleet share a few policies; more different ones than these are not looked at. */
const maximumPolicies = 100;
const maximumNames = 20;

/**
 * What hosts of an environment would refuse by their own policies, grouped by cause. The hosts decide: they know
 * their files, and may have changed their policies since they reported them.
 *
 * @param selector of the pipeline, as JSON; null selects every host.
 */
export async function previewPolicies(
  em: EntityManager,
  environmentId: string,
  selector: string | null,
  configYaml: string,
): Promise<PolicyPreview> {
  const rows = await em.execute<PolicyRow[]>(
    `select "hostPolicy"->'policy' as "policy", array_agg("name" order by lower("name")) as "names"
     from "VectorNode"
     where "environmentId" = ? and "nodeTokenHash" is not null
       and jsonb_typeof("hostPolicy"->'policy') = 'object'
       and (?::jsonb is null or "node_selector_matches"(?::jsonb, "labels"))
     group by 1 order by count(*) desc limit ?`,
    [environmentId, selector, selector, maximumPolicies],
  );
  return rows.length === 0 ? { refusals: [], refusingNodeCount: 0 } : group(rows, configYaml);
}

function group(rows: readonly PolicyRow[], configYaml: string): PolicyPreview {
  const { config, problems } = readConfig(configYaml);
  const byCause = new Map<string, { readonly problem: PolicyProblem; readonly names: string[] }>();
  let refusingNodeCount = 0;
  for (const { policy, names } of rows) {
    // What a secret holds is known on the host only, which judges it with its value.
    const found = [...problems, ...checkPolicy(policy, config)].filter(
      ({ message }) => !message.includes(laterText),
    );
    if (found.length > 0) refusingNodeCount += names.length;
    for (const problem of found) {
      const { rule, componentId, field, message } = problem;
      const key = JSON.stringify([rule, componentId, field, message]);
      const cause = byCause.get(key) ?? { problem, names: [] };
      byCause.set(key, cause);
      cause.names.push(...names);
    }
  }
  const refusals = [...byCause.values()].map(({ problem, names }) => ({
    ...problem,
    nodeNames: names.slice(0, maximumNames),
    nodeCount: names.length,
  }));
  return { refusals: refusals.toSorted((a, b) => b.nodeCount - a.nodeCount), refusingNodeCount };
}
