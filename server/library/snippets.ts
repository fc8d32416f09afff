import { audit, diffOf } from "../audit/audit.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { unlessTaken } from "../db/unique.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import { etagFor } from "../etag.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import type { Scope } from "../scope.ts";
import { builtInSnippets, type Json } from "./built-in-snippets.ts";
import { checkSnippet } from "./check-snippet.ts";
import { VrlSnippet } from "./vrl-snippet.entity.ts";

const maximumPerTeam = 1000;
const maximumCodeLength = 20_000;

/** A snippet, of a team or of the product. */
export interface SnippetView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly code: string;
  readonly condition: boolean;
  readonly builtIn: boolean;
  readonly example: { readonly event: Json; readonly result: Json } | undefined;
  readonly updatedAt: Date | undefined;
  readonly createdBy: string;
}

const shipped: readonly SnippetView[] = builtInSnippets
  .map((snippet) => ({ ...snippet, builtIn: true, updatedAt: undefined, createdBy: "" }))
  .toSorted((a, b) => a.name.localeCompare(b.name, "en"));

interface SnippetRow {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly category: string | null;
  readonly code: string;
  readonly condition: boolean;
  readonly updatedAt: Date;
  readonly createdBy: string | null;
}

function viewOf(row: SnippetRow): SnippetView {
  return {
    ...row,
    description: row.description ?? "",
    category: row.category ?? "",
    createdBy: row.createdBy ?? "",
    builtIn: false,
    example: undefined,
  };
}

/** Identifies what a snippet says, so that the second of two editors is told. */
export function etagOf({ name, description, category, code, condition }: SnippetView): string {
  return etagFor([name, description, category, code, condition]);
}

const columns = `s."id", s."name", s."description", s."category", s."code", s."condition", s."updatedAt",
  coalesce(u."name", u."email") as "createdBy"
  from "VrlSnippet" s left join "User" u on u."id" = s."createdById"`;

/** Snippets of a team by name, then those that ship, after the given place. */
export async function listSnippets(
  scope: Pick<Scope, "em">,
  input: {
    readonly teamId: string;
    readonly after: { readonly name: string; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<readonly SnippetView[]> {
  const { teamId, after, limit } = input;
  const place = shipped.findIndex(({ id }) => id === after?.id);
  if (place >= 0) return shipped.slice(place + 1, place + 1 + limit);
  const name = after?.name ?? null;
  const rows = await scope.em.execute<SnippetRow[]>(
    `select ${columns} where s."teamId" = ? and (?::text is null or (lower(s."name"), s."id") > (?, ?))
     order by lower(s."name"), s."id" limit ?`,
    [teamId, name, name, after?.id ?? null, limit],
  );
  return [...rows.map(viewOf), ...shipped].slice(0, limit);
}

export interface SnippetInput {
  readonly teamId: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly code: string;
  readonly condition: boolean;
}

/** What is kept of a snippet. Throws `invalid` with what is wrong with it; a compiler's word is a violation of `code`. */
async function checked(compiler: PipelineCompiler, input: SnippetInput) {
  const violations = new FieldViolations();
  const name = violations.text("name", input.name, 1, 100);
  const description = violations.text("description", input.description, 0, 1000);
  const category = violations.text("category", input.category, 0, 50);
  const code = input.code.replaceAll("\r\n", "\n").trim();
  if (code === "") violations.add("code", "is required");
  else if (code.length > maximumCodeLength) {
    violations.add("code", `must have at most ${maximumCodeLength} characters`);
  } else {
    for (const problem of await checkSnippet(compiler, { code, condition: input.condition })) {
      violations.add("code", `does not compile: ${problem}`);
    }
  }
  violations.throwIfAny();
  return {
    name,
    description: description === "" ? null : description,
    category: category === "" ? null : category,
    code,
    condition: input.condition,
  };
}

export async function createSnippet(
  scope: Scope,
  compiler: PipelineCompiler,
  input: SnippetInput,
): Promise<SnippetView> {
  const { teamId } = input;
  const fields = await checked(compiler, input);
  return translateTaken(fields.name, () =>
    transact(scope, async (tx) => {
      if ((await tx.em.count(VrlSnippet, { teamId })) >= maximumPerTeam) {
        throw new DomainError(
          "exhausted",
          "too_many_snippets",
          `a team may have ${maximumPerTeam} snippets: delete what nobody uses`,
        );
      }
      const now = tx.clock.now();
      const row = tx.em.create(VrlSnippet, {
        id: newId(),
        teamId,
        ...fields,
        createdById: tx.actor.kind === "user" ? tx.actor.userId : null,
        createdAt: now,
        updatedAt: now,
      });
      record(tx, "snippet.created", row, {});
      await tx.em.flush();
      return readView(tx, row.id);
    }),
  );
}

/** Changes a snippet of the team. Throws `stale` when somebody changed it since the etag. */
export async function updateSnippet(
  scope: Scope,
  compiler: PipelineCompiler,
  input: SnippetInput & { readonly id: string; readonly etag: string },
): Promise<SnippetView> {
  refuseBuiltIn(input.id);
  await findSnippet(scope, input);
  const fields = await checked(compiler, input);
  return translateTaken(fields.name, () =>
    transact(scope, async (tx) => {
      await tx.em.execute(`select 1 from "VrlSnippet" where "id" = ? for update`, [input.id]);
      if (etagOf(await readView(tx, input.id)) !== input.etag) {
        throw new DomainError(
          "stale",
          "snippet_changed",
          "someone else changed this snippet since you opened it: look again",
        );
      }
      const row = await findSnippet(tx, input);
      const { name, description, category, code, condition } = row;
      const before = { name, description, category, code, condition };
      tx.em.assign(row, { ...fields, updatedAt: tx.clock.now() });
      record(tx, "snippet.updated", row, { diff: diffOf(before, fields) });
      await tx.em.flush();
      return readView(tx, row.id);
    }),
  );
}

export async function deleteSnippet(
  scope: Scope,
  input: { readonly teamId: string; readonly id: string },
): Promise<void> {
  refuseBuiltIn(input.id);
  await transact(scope, async (tx) => {
    const row = await findSnippet(tx, input);
    record(tx, "snippet.deleted", row, {});
    tx.em.remove(row);
    await tx.em.flush();
  });
}

async function findSnippet(
  scope: Pick<Scope, "em">,
  { teamId, id }: { readonly teamId: string; readonly id: string },
): Promise<VrlSnippet> {
  const row = await scope.em.findOne(VrlSnippet, { id, teamId });
  if (row === null) throw notFound("snippet", id);
  return row;
}

async function readView(tx: Scope, id: string): Promise<SnippetView> {
  const [row] = await tx.em.execute<SnippetRow[]>(`select ${columns} where s."id" = ?`, [id]);
  if (row === undefined) throw notFound("snippet", id);
  return viewOf(row);
}

function record(
  tx: Scope,
  action: string,
  { id, name, teamId }: VrlSnippet,
  more: { readonly diff?: ReturnType<typeof diffOf> },
): void {
  audit(tx, {
    action,
    entityType: "VrlSnippet",
    entityId: id,
    teamId,
    ...more,
    metadata: { name },
  });
}

function refuseBuiltIn(id: string): void {
  if (!shipped.some((snippet) => snippet.id === id)) return;
  throw new DomainError(
    "precondition",
    "snippet_built_in",
    "this snippet ships with the product: copy it into one of your own",
  );
}

function translateTaken<T>(name: string, work: () => Promise<T>): Promise<T> {
  return unlessTaken(
    work,
    (cause) =>
      new DomainError(
        "conflict",
        "snippet_name_taken",
        `the team already has a snippet named ${name}`,
        { cause, violations: [{ field: "name", message: "is taken" }] },
      ),
  );
}
