import { audit, diffOf } from "../audit/audit.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { unlessTaken } from "../db/unique.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import { etagFor } from "../etag.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { findCredentials } from "../configuration/check/credentials.ts";
import { parsePipelineText, type PipelineGraph } from "../configuration/graph.ts";
import { findPipeline, teamIdOf } from "../pipelines/pipelines.ts";
import { placeholdersIn } from "../configuration/placeholders.ts";
import { wire } from "../configuration/wiring.ts";
import type { Scope } from "../scope.ts";
import { namePattern } from "../secrets/references.ts";
import { builtInTemplates } from "./built-in-templates.ts";
import { problemOf } from "./fill-template.ts";
import { Template, type TemplateParameter } from "./template.entity.ts";

const maximumPerTeam = 1000;
const maximumParameters = 50;
/** A text is read on the event loop, when it is saved and when it is used (S8). */
const maximumLength = 131_072;

/** A template, of a team or of the product. */
export interface TemplateView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly parameters: readonly TemplateParameter[];
  readonly builtIn: boolean;
  readonly yaml: string;
  /** Undefined for one that ships. */
  readonly updatedAt: Date | undefined;
  readonly componentTypes: readonly string[];
}

const shipped: readonly TemplateView[] = builtInTemplates
  .map((template) => ({
    ...template,
    builtIn: true,
    updatedAt: undefined,
    componentTypes: typesIn(parsePipelineText(template.yaml).graph),
  }))
  .toSorted((a, b) => a.name.localeCompare(b.name, "en"));

function typesIn(graph: PipelineGraph | undefined): readonly string[] {
  return [...new Set((graph?.components ?? []).map(({ type }) => type))];
}

function viewOf(row: Template): TemplateView {
  return {
    id: row.id,
    name: row.name,
    description: row.description ?? "",
    category: row.category ?? "",
    parameters: row.parameters,
    builtIn: false,
    yaml: row.yaml,
    updatedAt: row.updatedAt,
    componentTypes: [...new Set(row.nodes.map((node) => (node as TemplateNode).componentType))],
  };
}

/** Identifies what a template says, so that the second of two editors is told. */
export function etagOf({ name, description, category, parameters, yaml }: TemplateView): string {
  // The database keeps the fields of parameters in an order of its own.
  const fields = parameters.map((parameter) => [
    parameter.name,
    parameter.description,
    parameter.type,
    parameter.default,
    parameter.required,
  ]);
  return etagFor([name, description, category, fields, yaml]);
}

/** Templates of a team by name, then those that ship, after the given place. */
export async function listTemplates(
  scope: Pick<Scope, "em">,
  input: {
    readonly teamId: string;
    readonly category: string;
    readonly after: { readonly name: string; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<readonly TemplateView[]> {
  const { teamId, category, after, limit } = input;
  const fits = (template: TemplateView): boolean =>
    category === "" || template.category === category;
  const place = shipped.findIndex(({ id }) => id === after?.id);
  if (place >= 0)
    return shipped
      .slice(place + 1)
      .filter(fits)
      .slice(0, limit);
  const rows = await scope.em.execute<{ id: string }[]>(
    `select "id" from "Template" where "teamId" = ? and (? = '' or "category" = ?)
       and (?::text is null or (lower("name"), "id") > (?, ?)) order by lower("name"), "id" limit ?`,
    [
      teamId,
      category,
      category,
      after?.name ?? null,
      after?.name ?? null,
      after?.id ?? null,
      limit,
    ],
  );
  const found = await scope.em.find(Template, { id: { $in: rows.map(({ id }) => id) } });
  const byId = new Map(found.map((row) => [row.id, row]));
  const own = rows.flatMap(({ id }) => {
    const row = byId.get(id);
    return row === undefined ? [] : [viewOf(row)];
  });
  return [...own, ...shipped.filter(fits)].slice(0, limit);
}

/** One that ships or is of the team. Throws `not_found`. */
export async function getTemplate(
  scope: Pick<Scope, "em">,
  { teamId, id }: { readonly teamId: string | null; readonly id: string },
): Promise<TemplateView> {
  const builtIn = shipped.find((template) => template.id === id);
  if (builtIn !== undefined) return builtIn;
  return viewOf(await findTemplate(scope, teamId, id));
}

async function findTemplate(
  scope: Pick<Scope, "em">,
  teamId: string | null,
  id: string,
): Promise<Template> {
  const row = teamId === null ? null : await scope.em.findOne(Template, { id, teamId });
  if (row === null) throw notFound("template", id);
  return row;
}

export interface TemplateInput {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly parameters: readonly TemplateParameter[];
  readonly yaml: string;
}

interface TemplateNode {
  readonly componentKey: string;
  readonly kind: string;
  readonly componentType: string;
  readonly config: unknown;
  readonly positionX: number;
  readonly positionY: number;
}

/** Everything that is kept of a template. Throws `invalid` with all that is wrong with it. */
function checkTemplate(input: TemplateInput) {
  const violations = new FieldViolations();
  const name = violations.text("name", input.name, 1, 100);
  const description = violations.text("description", input.description, 0, 1000);
  const category = violations.text("category", input.category, 0, 50);
  if (input.yaml.length > maximumLength) {
    violations.add("yaml", `must have at most ${maximumLength} characters`);
    violations.throwIfAny();
  }
  checkParameters(input, violations);
  const { graph, problems } = parsePipelineText(input.yaml);
  if (graph === undefined) {
    violations.add("yaml", `is no configuration: ${problems[0]?.message ?? "it cannot be read"}`);
  } else if (graph.components.length === 0) violations.add("yaml", "has no components");
  const catalogue = loadCatalogue();
  for (const component of graph?.components ?? []) {
    for (const { path, what } of findCredentials(component, catalogue)) {
      // A template goes to every environment of the team: what is secret does not belong in it (X4).
      violations.add(
        `yaml.${component.key}.${path.join(".")}`,
        `holds ${what}: refer to a secret, or make it a parameter`,
      );
    }
  }
  violations.throwIfAny();
  return {
    name,
    description: description === "" ? null : description,
    category: category === "" ? null : category,
    parameters: input.parameters,
    yaml: input.yaml,
    ...asJson(graph ?? { globalConfig: {}, globalYaml: "", components: [] }),
  };
}

function checkParameters({ parameters, yaml }: TemplateInput, violations: FieldViolations): void {
  if (parameters.length > maximumParameters) {
    violations.add("parameters", `may be at most ${maximumParameters}`);
  }
  const names = parameters.map(({ name }) => name);
  parameters.slice(0, maximumParameters).forEach((parameter, index) => {
    const field = `parameters.${index}`;
    if (!namePattern.test(parameter.name)) {
      violations.add(`${field}.name`, "may have letters, digits, _, . and -");
    } else if (names.indexOf(parameter.name) !== index) {
      violations.add(`${field}.name`, "is there twice");
    } else if (!placeholdersIn(yaml, "PARAM").includes(parameter.name)) {
      violations.add(`${field}.name`, `stands nowhere: write PARAM[${parameter.name}] in the text`);
    }
    if (parameter.description.length > 500) {
      violations.add(`${field}.description`, "must have at most 500 characters");
    }
    const problem = parameter.default === "" ? undefined : problemOf(parameter, parameter.default);
    if (problem !== undefined) violations.add(`${field}.default`, problem);
  });
  for (const name of placeholdersIn(yaml, "PARAM")) {
    if (!names.includes(name)) {
      violations.add("parameters", `must have ${name}, because the text has PARAM[${name}]`);
    }
  }
}

/** A graph as integrators of the published data model read it. */
function asJson(graph: PipelineGraph): { nodes: TemplateNode[]; edges: object[] } {
  const columns = { source: 0, transform: 1, sink: 2 };
  const wiring = wire(graph, loadCatalogue());
  return {
    nodes: graph.components.map(({ key, kind, type, config }, ordinal) => ({
      componentKey: key,
      kind: kind.toUpperCase(),
      componentType: type,
      config,
      positionX: columns[kind] * 280,
      positionY: ordinal * 96,
    })),
    edges: graph.components.flatMap((component) =>
      wiring.inputs(component).map((input) => {
        const [source = input, ...port] = input.split(".");
        return {
          source,
          sourcePort: port.length === 0 ? null : port.join("."),
          target: component.key,
        };
      }),
    ),
  };
}

/** Makes a template of a pipeline's draft, or of the given text. */
export async function createTemplate(
  scope: Scope,
  input: TemplateInput & { readonly pipelineId: string },
): Promise<TemplateView> {
  const pipeline = await findPipeline(scope, input.pipelineId);
  const checked = checkTemplate({
    ...input,
    yaml: input.yaml === "" ? pipeline.yaml : input.yaml,
  });
  const teamId = await teamIdOf(scope, pipeline.environmentId);
  return translateTaken(checked.name, () =>
    transact(scope, async (tx) => {
      if ((await tx.em.count(Template, { teamId })) >= maximumPerTeam) {
        throw new DomainError(
          "exhausted",
          "too_many_templates",
          `a team may have ${maximumPerTeam} templates: delete what nobody uses`,
        );
      }
      const now = tx.clock.now();
      const row = tx.em.create(Template, {
        id: newId(),
        teamId,
        ...checked,
        createdAt: now,
        updatedAt: now,
      });
      audit(tx, {
        action: "template.created",
        entityType: "Template",
        entityId: row.id,
        teamId,
        environmentId: pipeline.environmentId,
        metadata: { name: row.name, pipeline: pipeline.name },
      });
      await tx.em.flush();
      return viewOf(row);
    }),
  );
}

/** Changes a template of the team. Throws `stale` when somebody changed it since the etag. */
export async function updateTemplate(
  scope: Scope,
  input: TemplateInput & { readonly teamId: string; readonly id: string; readonly etag: string },
): Promise<TemplateView> {
  refuseBuiltIn(input.id);
  await findTemplate(scope, input.teamId, input.id);
  const checked = checkTemplate(input);
  return translateTaken(checked.name, () =>
    transact(scope, async (tx) => {
      await tx.em.execute(`select 1 from "Template" where "id" = ? for update`, [input.id]);
      const row = await findTemplate(tx, input.teamId, input.id);
      if (etagOf(viewOf(row)) !== input.etag) {
        throw new DomainError(
          "stale",
          "template_changed",
          "someone else changed this template since you opened it: look again",
        );
      }
      const { name, description, category, parameters, yaml } = row;
      // A text may hold what a person should not have written there: only its size is kept.
      const shown = (text: string) => ({ characters: text.length });
      const before = { name, description, category, parameters, yaml: shown(yaml) };
      const after = { ...before, ...checked, yaml: shown(checked.yaml) };
      tx.em.assign(row, { ...checked, updatedAt: tx.clock.now() });
      audit(tx, {
        action: "template.updated",
        entityType: "Template",
        entityId: row.id,
        teamId: input.teamId,
        diff: diffOf(before, {
          name: after.name,
          description: after.description,
          category: after.category,
          parameters: after.parameters,
          yaml: after.yaml,
        }),
        metadata: { name: row.name },
      });
      await tx.em.flush();
      return viewOf(row);
    }),
  );
}

export async function deleteTemplate(
  scope: Scope,
  { teamId, id }: { readonly teamId: string; readonly id: string },
): Promise<void> {
  refuseBuiltIn(id);
  await transact(scope, async (tx) => {
    const row = await findTemplate(tx, teamId, id);
    audit(tx, {
      action: "template.deleted",
      entityType: "Template",
      entityId: id,
      teamId,
      metadata: { name: row.name },
    });
    tx.em.remove(row);
    await tx.em.flush();
  });
}

function refuseBuiltIn(id: string): void {
  if (!shipped.some((template) => template.id === id)) return;
  throw new DomainError(
    "precondition",
    "template_built_in",
    "this template ships with the product: make a pipeline of it and save that as your own",
  );
}

function translateTaken<T>(name: string, work: () => Promise<T>): Promise<T> {
  return unlessTaken(
    work,
    (cause) =>
      new DomainError(
        "conflict",
        "template_name_taken",
        `the team already has a template named ${name}`,
        { cause, violations: [{ field: "name", message: "is taken" }] },
      ),
  );
}
