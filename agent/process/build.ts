import { join } from "node:path";
import type { PipelineBody } from "../reconcile/desired-state.ts";
import { secretTexts } from "../secrets/body-secrets.ts";
import { certificateFileName } from "../secrets/certificate-files.ts";
import { SecretMask } from "../secrets/mask.ts";
import { secretBackend } from "../secrets/references.ts";
import { escapeForYaml } from "../secrets/yaml-escape.ts";
import type { PipelinePaths } from "../state/pipeline-store.ts";
import { injectTelemetry } from "../vector/inject.ts";
import type { ConfigProblem } from "./pipeline-status.ts";

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
  | { readonly kind: "unreadable"; readonly problems: readonly ConfigProblem[] };

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

/** Adds to a body what the agent owns. */
export function buildConfig(
  body: PipelineBody,
  place: {
    readonly paths: PipelinePaths;
    readonly ports: Ports;
    readonly secretsCommand: readonly string[];
  },
): BuildResult {
  const secrets = secretTexts(body);
  const certificates = new Map(body.certificates.map(({ name, content }) => [name, content]));
  const result = injectTelemetry(body.configYaml, {
    dataDir: place.paths.data,
    metricsPort: place.ports.metrics,
    apiPort: place.ports.api,
    secretsCommand: place.secretsCommand,
    references: {
      secrets,
      certificatePath(name) {
        const content = certificates.get(name);
        return content && join(place.paths.certificates, certificateFileName(content));
      },
    },
  });
  if (result.kind === "unreadable") return result;
  const frozen = JSON.stringify([result.frozen, vectorLevel(body.logLevel)]);
  const mask = new SecretMask(secrets);
  return { kind: "built", built: { body, text: result.text, frozen, secrets, mask } };
}

/** The text with its secrets, as Vector would see it. For validation, and for no file. */
export function resolvedText(built: Built): string {
  const placeholder = new RegExp(`SECRET\\[${secretBackend}\\.([\\w./-]+)\\]`, "g");
  return built.text.replaceAll(placeholder, (whole, name: string) => {
    const value = built.secrets.get(name);
    return value === undefined ? whole : escapeForYaml(value);
  });
}
