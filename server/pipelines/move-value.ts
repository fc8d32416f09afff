import { audit } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { transact } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError, FieldViolations } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { Secret } from "../secrets/secret.entity.ts";
import { addSecret, checkValue } from "../secrets/secrets.ts";
import { holds } from "../secrets/take-outcome.ts";
import { checkName, pushValues, taken, translateTaken } from "../secrets/stored-values.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { findCredentials } from "../configuration/check/credentials.ts";
import { lockPipeline } from "./deployments.ts";
import { parsePipelineText } from "../configuration/graph.ts";
import type { Pipeline } from "./pipeline.entity.ts";
import { stalePipeline, storeGraph, teamIdOf } from "./pipelines.ts";
import { placeholdersIn } from "../configuration/placeholders.ts";
import { replaceValue } from "../configuration/edit/replace-value.ts";

/** The text is read four times on the event loop, so that large ones are left to their authors (S8). */
const maximumMovableLength = 131_072;

/** Where a value stands that shall become a secret. */
export interface ValuePlace {
  readonly pipelineId: string;
  readonly revision: string;
  readonly componentKey: string;
  /** Dotted, as the problem has it. */
  readonly field: string;
  readonly secretName: string;
}

/**
 * Replaces a credential in the saved draft by a reference, and creates the secret that holds it; one of that name
 * with the same value is used as it is. Both happen or neither (X4). Returns the versions that were deployed with
 * the value in clear.
 */
export async function moveValueToSecret(
  scope: Scope,
  deps: ServerDeps,
  place: ValuePlace,
): Promise<{ readonly pipeline: Pipeline; readonly versions: readonly number[] }> {
  const violations = new FieldViolations();
  checkName(place.secretName, violations);
  violations.throwIfAny();
  return translateTaken("secret", place.secretName, () =>
    transact(scope, async (tx) => {
      const pipeline = await lockPipeline(tx, place.pipelineId);
      if (pipeline.revision !== Number(place.revision)) throw stalePipeline();
      const { text, value } = takeOut(pipeline.yaml, place);
      const { environmentId } = pipeline;
      const created = await ensureSecret(tx, deps, environmentId, place.secretName, value);
      tx.em.assign(pipeline, {
        yaml: text,
        revision: pipeline.revision + 1,
        updatedById: tx.actor.kind === "user" ? tx.actor.userId : null,
      });
      await tx.em.flush();
      const { graph } = parsePipelineText(text);
      if (graph !== undefined) await storeGraph(tx, pipeline, graph);
      audit(tx, {
        action: "pipeline.value_moved_to_secret",
        entityType: "Pipeline",
        entityId: pipeline.id,
        teamId: await teamIdOf(tx, environmentId),
        environmentId,
        metadata: {
          componentKey: place.componentKey,
          field: place.field,
          secret: place.secretName,
          secretCreated: created,
        },
      });
      if (created) await pushValues(tx, environmentId);
      else await announce(tx.em, { kind: "seen", environmentId, topic: "pipelines" });
      return { pipeline, versions: await versionsWith(tx, pipeline.id, value) };
    }),
  );
}

/** Only what the check points out can be moved: the call is no way to read a draft's other values. */
function takeOut(text: string, place: ValuePlace): { text: string; value: string } {
  if (text.length > maximumMovableLength) {
    throw new DomainError(
      "invalid",
      "pipeline_too_large",
      "the text is too large to be changed here: create the secret and edit the text by hand",
    );
  }
  const component = parsePipelineText(text).graph?.components.find(
    ({ key }) => key === place.componentKey,
  );
  const credential =
    component === undefined
      ? undefined
      : findCredentials(component, loadCatalogue()).find(
          ({ path, movable }) => movable && path.join(".") === place.field,
        );
  if (credential === undefined) {
    throw new DomainError(
      "invalid",
      "no_credential_there",
      `${place.componentKey}.${place.field} holds nothing that looks like a credential`,
    );
  }
  if (placeholdersIn(writtenAt(component?.config, credential.path), "VAR").length > 0) {
    throw new DomainError(
      "invalid",
      "value_is_variable",
      "the value is that of a variable: create a secret with it and refer to that",
    );
  }
  const target = { ...credential, componentKey: place.componentKey };
  const replaced = replaceValue(text, target, `SECRET[${place.secretName}]`);
  if (replaced.kind === "impossible") {
    throw new DomainError("invalid", "value_not_replaceable", replaced.message);
  }
  return replaced;
}

function writtenAt(value: unknown, path: readonly (string | number)[]): string {
  const found = path.reduce<unknown>(
    (at, step) =>
      typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined,
    value,
  );
  return typeof found === "string" ? found : "";
}

/** True when the secret was made. */
async function ensureSecret(
  tx: Scope,
  deps: ServerDeps,
  environmentId: string,
  name: string,
  value: string,
): Promise<boolean> {
  const present = await tx.em.findOne(Secret, { environmentId, name });
  if (present !== null) {
    if (holds(deps, present, value)) return false;
    throw taken("secret", name);
  }
  const violations = new FieldViolations();
  checkValue(value, violations);
  violations.throwIfAny();
  await addSecret(tx, deps, { environmentId, name, value });
  return true;
}

async function versionsWith(
  tx: Scope,
  pipelineId: string,
  value: string,
): Promise<readonly number[]> {
  const rows = await tx.em.execute<{ version: number }[]>(
    `select "version" from "PipelineVersion" where "pipelineId" = ? and strpos("sourceYaml", ?) > 0
     order by "version" limit 100`,
    [pipelineId, value],
  );
  return rows.map(({ version }) => version);
}
