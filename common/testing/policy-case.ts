import { describe, expect, test } from "vitest";
import { checkPolicy } from "../policy/check-policy.ts";
import { parsePolicy, type HostPolicy } from "../policy/policy.ts";

export function policyOf(keys: object): HostPolicy {
  const { policy, problems } = parsePolicy({ version: 1, ...keys });
  if (policy === undefined) throw new Error(problems.join("\n"));
  return policy;
}

export const source = (type: string, options: object = {}) => ({
  sources: { c: { type, ...options } },
});
export const transform = (type: string, options: object = {}) => ({
  transforms: { c: { type, inputs: ["in"], ...options } },
});
export const sink = (type: string, options: object = {}) => ({
  sinks: { c: { type, inputs: ["in"], ...options } },
});

export const preset = {
  preset: "restricted",
  files: { read: ["/var/log"], write: ["/srv/out"] },
};

/** A policy, a configuration, and `rule field` of each problem. */
export type PolicyCase = readonly [
  name: string,
  policy: object,
  config: object,
  problems: readonly string[],
];

/** One test for each case. */
export function judgeCases(group: string, cases: readonly PolicyCase[]): void {
  describe(`a policy for ${group}`, () => {
    test.each(cases)("judges %s", (_name, keys, config, expected) => {
      const problems = checkPolicy(policyOf(keys), config);
      expect(problems.map(({ rule, field }) => `${rule} ${field}`).toSorted()).toEqual(
        [...expected].toSorted(),
      );
      // Written as text and normalized, it means the same.
      const again = policyOf(JSON.parse(JSON.stringify(policyOf(keys))) as object);
      expect(checkPolicy(again, config)).toEqual(problems);
    });
  });
}
