import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { unlessTaken } from "../db/unique.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import { lockDelivery } from "../pipelines/delivery/delivery.ts";
import { teamIdOf } from "../pipelines/pipelines.ts";
import type { Scope } from "../scope.ts";
import { checkName } from "../secrets/stored-values.ts";
import { readUses } from "../secrets/uses.ts";
import { Variable } from "./variable.entity.ts";

const maximumValueLength = 4096;
const maximumPerEnvironment = 1000;

/** Adds a violation for a value that has more than one line or is too long. */
export function checkVariableValue(value: string, violations: FieldViolations): void {
  if (value.length > maximumValueLength) {
    violations.add("value", `must have at most ${maximumValueLength} characters`);
  } else if (/[\p{Cc}\u2028\u2029]/u.test(value)) {
    violations.add("value", "must be one line without control characters");
  } else if (value.includes("VAR[")) {
    violations.add("value", "must not refer to a variable itself");
  }
}

export function checkDescription(description: string, violations: FieldViolations): string | null {
  const text = violations.text("description", description, 0, 1000);
  return text === "" ? null : text;
}

/** The variables of an environment by name, after the given one. */
export async function listVariables(
  scope: Pick<Scope, "em">,
  environmentId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<Variable[]> {
  return scope.em.find(
    Variable,
    { environmentId, ...(after !== undefined && { name: { $gt: after } }) },
    { orderBy: { name: "asc" }, limit },
  );
}

/** Creates a variable. Throws `conflict` when the environment has one of that name. */
export async function createVariable(
  scope: Scope,
  input: {
    readonly environmentId: string;
    readonly name: string;
    readonly value: string;
    readonly description: string;
  },
): Promise<Variable> {
  const violations = new FieldViolations();
  checkName(input.name, violations);
  checkVariableValue(input.value, violations);
  const description = checkDescription(input.description, violations);
  violations.throwIfAny();
  const { environmentId, name, value } = input;
  const create = (): Promise<Variable> =>
    transact(scope, async (tx) => {
      await lockDelivery(tx, environmentId);
      await refuseTooMany(tx, environmentId);
      const now = tx.clock.now();
      const variable = tx.em.create(Variable, {
        id: newId(),
        environmentId,
        name,
        value,
        description,
        createdAt: now,
        updatedAt: now,
      });
      await tx.em.flush();
      await recordVariable(tx, "variable.created", variable, { value });
      return variable;
    });
  return unlessTaken(
    create,
    (cause) =>
      new DomainError(
        "conflict",
        "variable_name_taken",
        `this environment already has a variable named ${name}`,
        { cause, violations: [{ field: "name", message: "is taken" }] },
      ),
  );
}

async function refuseTooMany(tx: Scope, environmentId: string): Promise<void> {
  if ((await tx.em.count(Variable, { environmentId })) < maximumPerEnvironment) return;
  throw new DomainError(
    "exhausted",
    "too_many_variables",
    `an environment may have ${maximumPerEnvironment} variables: delete what nobody uses`,
  );
}

export interface VariableChange {
  readonly environmentId: string;
  readonly id: string;
  readonly value: string;
  readonly description: string;
  /** The value that the change was made from. */
  readonly valueBefore: string;
}

/** Checks a change and writes it in the caller's transaction, which holds the lock of the delivery. */
export async function writeVariable(
  tx: Scope,
  change: VariableChange,
  metadata: Readonly<Record<string, unknown>>,
): Promise<Variable> {
  const violations = new FieldViolations();
  checkVariableValue(change.value, violations);
  const description = checkDescription(change.description, violations);
  violations.throwIfAny();
  const variable = await findVariable(tx, change);
  if (variable.value !== change.valueBefore) throw staleVariable(variable.name);
  const before = { value: variable.value, description: variable.description ?? null };
  const after = { value: change.value, description };
  tx.em.assign(variable, { ...after, updatedAt: tx.clock.now() });
  await tx.em.flush();
  await recordVariable(tx, "variable.updated", variable, metadata, diffOf(before, after));
  return variable;
}

export function staleVariable(name: string): DomainError {
  return new DomainError(
    "stale",
    "variable_changed",
    `someone else changed ${name} since you opened it: look again`,
  );
}

/** Deletes a variable. What hosts run was made with its value, and goes on. */
export async function deleteVariable(
  scope: Scope,
  input: { readonly environmentId: string; readonly id: string; readonly confirmInUse: boolean },
): Promise<void> {
  await transact(scope, async (tx) => {
    await lockDelivery(tx, input.environmentId);
    const variable = await findVariable(tx, input);
    const uses = (await readUses(tx, input.environmentId, "variable")).get(variable.name) ?? [];
    const names = uses.map(({ pipelineName }) => pipelineName);
    if (names.length > 0 && !input.confirmInUse) {
      const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
      throw new DomainError(
        "precondition",
        "variable_in_use",
        `pipelines use the variable ${variable.name}: ${names.slice(0, 5).join(", ")}${more}`,
      );
    }
    await recordVariable(tx, "variable.deleted", variable, { usedIn: names.slice(0, 50) });
    tx.em.remove(variable);
    await tx.em.flush();
  });
}

export async function findVariable(
  tx: Pick<Scope, "em">,
  { environmentId, id }: { readonly environmentId: string; readonly id: string },
): Promise<Variable> {
  const variable = await tx.em.findOne(Variable, { id, environmentId });
  if (variable === null) throw notFound("variable", id);
  return variable;
}

async function recordVariable(
  tx: Scope,
  action: string,
  { id, name, environmentId }: Variable,
  metadata: Readonly<Record<string, unknown>>,
  diff: ReturnType<typeof diffOf> = {},
): Promise<void> {
  audit(tx, {
    action,
    entityType: "Variable",
    entityId: id,
    teamId: await teamIdOf(tx, environmentId),
    environmentId,
    ...(Object.keys(diff).length > 0 && { diff }),
    metadata: { name, ...metadata },
  });
  // Drafts have gained or lost a problem, and what is deployed may be another than a deploy would make.
  await announce(tx.em, { kind: "seen", environmentId, topic: "pipelines" });
}
