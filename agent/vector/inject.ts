import { isMap, type Document } from "yaml";

import { readDocument } from "#common/yaml-document.ts";

import {
  bindReferences,
  configText,
  secretBackend,
  type ReferenceProblem,
  type ReferenceTargets,
} from "../secrets/references.ts";
import { keptMetrics, reservedPrefix } from "./reserved.ts";
import { expandedInputs, objectOf } from "./wildcards.ts";

/** What the agent decides about a process, and no configuration can. */
export interface Injection {
  readonly dataDir: string;
  readonly metricsPort: number;
  readonly apiPort: number;
  readonly references: ReferenceTargets;
  /** The command that answers Vector's exec backend for secrets. */
  readonly secretsCommand: readonly string[];
}

export type InjectionResult =
  | { readonly kind: "injected"; readonly text: string; readonly frozen: string }
  | { readonly kind: "unreadable"; readonly problems: readonly ReferenceProblem[] };

/** Top-level keys whose changes a reload takes over. All others need a new process. */
const reloadable = new Set([
  "sources",
  "transforms",
  "sinks",
  "enrichment_tables",
  "tests",
  "healthchecks",
  "secret",
]);

/** Vector waits this long for the agent's answer; its own default is short for a busy host. */
const secretsTimeoutSecs = 20;

/**
 * Adds to a rendered configuration what the agent owns: the data directory, the closed API, the
 * metrics page, and where secrets and certificates come from. The document is edited in place, so that
 * quoting, block style and comments stay as written: the quotes around a `SECRET[…]` decide how its
 * value is read. `frozen` stands for everything in it that a reload cannot change.
 */
export function injectTelemetry(configYaml: string, injection: Injection): InjectionResult {
  const read = readDocument(configYaml);
  if (read.kind === "unreadable") return unreadable(...read.problems);
  const { document } = read;
  if (document.contents !== null && !isMap(document.contents)) {
    return unreadable("the configuration is not a map of sections");
  }
  try {
    const { usesSecrets, problems } = bindReferences(document, injection.references);
    if (problems.length > 0) return { kind: "unreadable", problems };
    expandWildcards(document);
    addOwned(document, injection);
    if (usesSecrets) addSecretBackend(document, injection.secretsCommand);
    const frozen = Object.entries(objectOf(document.toJS()))
      .filter(([key]) => !reloadable.has(key))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const text = configText(document);
    return { kind: "injected", text, frozen: JSON.stringify(frozen, bigIntAsText) };
  } catch (error) {
    // An alias without its anchor, or a map nested without end through one.
    return unreadable(error instanceof Error ? error.message : "unreadable");
  }
}

function unreadable(...messages: readonly string[]): InjectionResult {
  const problems = messages.map((message) => ({ componentId: "", field: "", message }));
  return { kind: "unreadable", problems };
}

function bigIntAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

function expandWildcards(document: Document): void {
  for (const [path, inputs] of expandedInputs(objectOf(document.toJS()))) {
    const [section = "", ...id] = path.split("/");
    document.setIn([section, id.join("/"), "inputs"], document.createNode(inputs));
  }
}

function addOwned(document: Document, injection: Injection): void {
  const metrics = `${reservedPrefix}metrics`;
  const kept = `${reservedPrefix}kept`;
  document.set("data_dir", injection.dataDir);
  // Closed but with its address: only so can a later reload open it, and only on this port.
  document.set(
    "api",
    document.createNode({ enabled: false, address: `127.0.0.1:${injection.apiPort}` }),
  );
  addComponent(document, "sources", metrics, {
    type: "internal_metrics",
    scrape_interval_secs: 1,
  });
  addComponent(document, "transforms", kept, {
    type: "filter",
    inputs: [metrics],
    condition: `includes(${JSON.stringify(keptMetrics)}, string!(.name))`,
  });
  addComponent(document, "sinks", `${reservedPrefix}page`, {
    type: "prometheus_exporter",
    inputs: [kept],
    address: `127.0.0.1:${injection.metricsPort}`,
    healthcheck: false,
    // A reader that is away must never hold up the pipeline.
    buffer: { type: "memory", max_events: 10_000, when_full: "drop_newest" },
  });
}

function addSecretBackend(document: Document, command: readonly string[]): void {
  addComponent(document, "secret", secretBackend, {
    type: "exec",
    command: [...command],
    timeout: secretsTimeoutSecs,
  });
}

function addComponent(document: Document, section: string, id: string, component: object): void {
  if (!isMap(document.get(section))) document.set(section, document.createNode({}));
  document.setIn([section, id], document.createNode(component));
}
