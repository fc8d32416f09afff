import { join } from "node:path";
import { readDocument } from "#common/yaml-document.ts";
import type { PipelineBody } from "../reconcile/desired-state.ts";
import { secretTexts } from "../secrets/body-secrets.ts";
import { certificateFileName } from "../secrets/certificate-files.ts";
import { SecretMask } from "../secrets/mask.ts";
import {
  bindReferences,
  configText,
  secretBackend,
  type ReferenceTargets,
} from "../secrets/references.ts";
import { escapeForYaml } from "../secrets/yaml-escape.ts";
import type { PipelinePaths } from "../state/pipeline-store.ts";
import { messageOf } from "../text.ts";
import { injectTelemetry } from "../vector/inject.ts";
import type { ConfigProblem } from "./pipeline-status.ts";
import type { Fault } from "./vector-process.ts";

/** A configuration made ready for Vector. */
export interface Built {
  readonly body: PipelineBody;
  /** What Vector reads; secrets are placeholders in it. */
  readonly text: string;
  /** Two builds with the same are told apart by a reload; others need a new process. */
  readonly frozen: string;
  readonly secrets: ReadonlyMap<string, string>;
  readonly mask: SecretMask;
}

export type BuildResult =
  | { readonly kind: "built"; readonly built: Built }
  /** It never reaches Vector: it cannot be read, or the host's own policy is against it (P11). */
  | { readonly kind: "refused"; readonly fault: Fault };

/** The loopback ports that a process has for itself. */
export interface Ports {
  readonly metrics: number;
  readonly api: number;
}

/**
 * Vector's level for a pipeline's. The lines that tell how a start or a reload went are INFO, so that
 * Vector never logs less; the agent drops what the person does not want to see.
 */
export function vectorLevel(logLevel: string): string {
  return logLevel === "debug" || logLevel === "trace" ? logLevel : "info";
}

/** Adds to a body what the agent owns, unless the host's policy is against what the person wrote. */
export function buildConfig(
  body: PipelineBody,
  place: {
    readonly paths: PipelinePaths;
    readonly ports: Ports;
    readonly secretsCommand: readonly string[];
    judge(resolvedText: string): Fault | undefined;
  },
): BuildResult {
  const resolved = resolveBody(body, place.paths);
  if (resolved.kind === "refused") return resolved;
  const { mask } = resolved;
  const refusal = maskedFault(place.judge(resolved.text), mask);
  if (refusal !== undefined) return { kind: "refused", fault: refusal };
  const references = targetsOf(body, place.paths);
  const result = injectTelemetry(body.configYaml, {
    dataDir: place.paths.data,
    metricsPort: place.ports.metrics,
    apiPort: place.ports.api,
    secretsCommand: place.secretsCommand,
    references,
  });
  if (result.kind === "unreadable") return refused(result.problems);
  const frozen = JSON.stringify([result.frozen, vectorLevel(body.logLevel)]);
  const { secrets } = references;
  return { kind: "built", built: { body, text: result.text, frozen, secrets, mask } };
}

/**
 * What the person wrote, with its secrets and certificates in place. The host's policy judges this: a
 * destination must not hide in a secret.
 */
export function resolveBody(
  body: PipelineBody,
  paths: PipelinePaths,
):
  | { readonly kind: "resolved"; readonly text: string; readonly mask: SecretMask }
  | { readonly kind: "refused"; readonly fault: Fault } {
  const read = readDocument(body.configYaml);
  if (read.kind === "unreadable") return refused(read.problems.map(wholly));
  const targets = targetsOf(body, paths);
  const { problems } = bindReferences(read.document, targets);
  if (problems.length > 0) return refused(problems);
  try {
    const text = withSecrets(configText(read.document), targets.secrets);
    return { kind: "resolved", text, mask: new SecretMask(targets.secrets) };
  } catch (error) {
    return refused([wholly(messageOf(error))]); // An alias without its anchor.
  }
}

/** The built text with its secrets, as Vector would see it. For validation, and for no file. */
export function resolvedText(built: Built): string {
  return withSecrets(built.text, built.secrets);
}

/** The fault as people may read it. */
export function maskedFault<T extends Fault | undefined>(fault: T, mask: SecretMask): T {
  if (fault === undefined) return fault;
  return {
    ...fault,
    reason: mask.apply(fault.reason),
    problems: fault.problems.map((problem) => ({
      ...problem,
      message: mask.apply(problem.message),
    })),
    logTail: fault.logTail.map((line) => mask.apply(line)),
  };
}

function targetsOf(body: PipelineBody, paths: PipelinePaths): ReferenceTargets {
  const certificates = new Map(body.certificates.map(({ name, content }) => [name, content]));
  return {
    secrets: secretTexts(body),
    certificatePath(name) {
      const content = certificates.get(name);
      return content && join(paths.certificates, certificateFileName(content));
    },
  };
}

function withSecrets(text: string, secrets: ReadonlyMap<string, string>): string {
  const placeholder = new RegExp(`SECRET\\[${secretBackend}\\.([\\w./-]+)\\]`, "g");
  return text.replaceAll(placeholder, (whole, name: string) => {
    const value = secrets.get(name);
    return value === undefined ? whole : escapeForYaml(value);
  });
}

function wholly(message: string): ConfigProblem {
  return { componentId: "", field: "", message };
}

/** Why a configuration does not even reach Vector. */
function refused(problems: readonly ConfigProblem[]): {
  readonly kind: "refused";
  readonly fault: Fault;
} {
  const [first] = problems;
  const where = first?.componentId ? `component "${first.componentId}": ` : "";
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const reason = `the configuration cannot be used: ${where}${first?.message ?? ""}${more}`;
  return { kind: "refused", fault: { reason, problems, logTail: [] } };
}
