import { linearPattern } from "#common/linear-pattern.ts";
import { audit, diffOf } from "../audit/audit.ts";
import { transact } from "../db/transaction.ts";
import { Environment, type RedactionSetting } from "../environments/environment.entity.ts";
import { FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";

const noRules: RedactionSetting = { fieldGlobs: [], valuePatterns: [] };
const maxRules = 50;
const maxRuleLength = 500;

/** The redaction rules of an environment, which go to a host with every request. */
export async function readRedaction(
  scope: Pick<Scope, "em">,
  environmentId: string,
): Promise<RedactionSetting> {
  const environment = await scope.em.findOne(Environment, { id: environmentId });
  if (environment === null) throw notFound("environment", environmentId);
  return environment.redaction ?? noRules;
}

/** Replaces the rules. A rule that no host could use is refused here, so that it fails no sample there. */
export async function setRedaction(
  scope: Scope,
  environmentId: string,
  rules: RedactionSetting,
): Promise<RedactionSetting> {
  const redaction = {
    fieldGlobs: cleanRules(rules.fieldGlobs),
    valuePatterns: cleanRules(rules.valuePatterns),
  };
  const violations = new FieldViolations();
  for (const [field, list] of [
    ["redaction.field_globs", redaction.fieldGlobs],
    ["redaction.value_patterns", redaction.valuePatterns],
  ] as const) {
    if (list.length > maxRules) violations.add(field, `must have at most ${maxRules} rules`);
    if (list.some(({ length }) => length > maxRuleLength)) {
      violations.add(field, `must have at most ${maxRuleLength} characters each`);
    }
  }
  for (const pattern of redaction.valuePatterns) {
    const compiled = linearPattern(pattern);
    if (typeof compiled === "string") violations.add("redaction.value_patterns", compiled);
  }
  violations.throwIfAny();
  await transact(scope, async (tx) => {
    const environment = await tx.em.findOneOrFail(Environment, { id: environmentId });
    const diff = diffOf({ ...(environment.redaction ?? noRules) }, redaction);
    if (Object.keys(diff).length === 0) return;
    environment.redaction = redaction;
    audit(tx, {
      action: "environment.redaction_changed",
      entityType: "Environment",
      entityId: environmentId,
      teamId: environment.teamId ?? null,
      environmentId,
      diff,
    });
  });
  return redaction;
}

function cleanRules(rules: readonly string[]): readonly string[] {
  return [...new Set(rules.map((rule) => rule.replaceAll("\0", "").trim()))].filter(
    (rule) => rule !== "",
  );
}
