import type { HostPolicy } from "./policy.ts";

/** One rule in words. */
export interface PolicyRule {
  readonly title: string;
  readonly text: string;
}

/** What a policy allows, for people. Says nothing of what it does not limit. */
export function describePolicy(policy: HostPolicy): readonly PolicyRule[] {
  const { components, files, destinations, listen, vrl } = policy;
  const rules: PolicyRule[] = [];
  const add = (title: string, text: string): void => void rules.push({ title, text });
  if (components.allow !== undefined) add("Components", only(components.allow, "No component"));
  if (components.deny.length > 0) add("Denied components", components.deny.join(", "));
  if (policy.programs === "deny") add("Programs", "No code that comes with a configuration runs");
  if (files.read !== undefined) add("Reads", only(files.read, "No file"));
  if (files.write !== undefined) add("Writes", only(files.write, "No file"));
  if (listen.allow !== undefined) add("Listens on", only(listen.allow, "No address"));
  if (destinations.allow !== undefined) add("Connects to", only(destinations.allow, "No host"));
  if (destinations.deny.length > 0) add("Never connects to", destinations.deny.join(", "));
  if (vrl.deny.length > 0) {
    add("Denied VRL functions", vrl.deny.filter((name) => !vrl.allow.includes(name)).join(", "));
  }
  if (policy.enforce_running) add("Running pipelines", "Those that break the policy are stopped");
  return rules;
}

function only(list: readonly string[], none: string): string {
  return list.length === 0 ? none : `Only ${list.join(", ")}`;
}
