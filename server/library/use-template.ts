import { transact } from "../db/transaction.ts";
import { FieldViolations } from "../errors.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { compileIn } from "../pipelines/compile-in.ts";
import type { FilledPipeline } from "../configuration/compile-filled.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import type { Pipeline } from "../pipelines/pipeline.entity.ts";
import { addPipeline, teamIdOf, translateNameConflict } from "../pipelines/pipelines.ts";
import type { Scope } from "../scope.ts";
import { fillTemplate } from "./fill-template.ts";
import { getTemplate, type TemplateView } from "./templates.ts";

interface Filling {
  readonly environmentId: string;
  readonly templateId: string;
  readonly values: Readonly<Record<string, string>>;
}

async function fill(
  scope: Scope,
  { environmentId, templateId, values }: Filling,
): Promise<{
  readonly template: TemplateView;
  readonly text: string;
}> {
  const teamId = await teamIdOf(scope, environmentId);
  const template = await getTemplate(scope, { teamId, id: templateId });
  const violations = new FieldViolations();
  const text = fillTemplate(template, values, loadCatalogue(), violations);
  violations.throwIfAny();
  return { template, text };
}

/** The text that a template gives, and what is wrong with it in an environment. */
export async function previewTemplate(
  scope: Scope,
  compiler: PipelineCompiler,
  filling: Filling,
): Promise<{ readonly text: string; readonly compiled: FilledPipeline }> {
  const { text } = await fill(scope, filling);
  const placement = { environmentId: filling.environmentId, selector: null };
  return { text, compiled: await compileIn(scope, compiler, placement, text) };
}

/** Creates a draft from a template, in one transaction. */
export async function useTemplate(
  scope: Scope,
  compiler: PipelineCompiler,
  filling: Filling & { readonly name: string; readonly description: string },
): Promise<Pipeline> {
  const { environmentId, name } = filling;
  const { template, text } = await fill(scope, filling);
  const { graph } = await compileIn(scope, compiler, { environmentId, selector: null }, text);
  const description = filling.description === "" ? template.description : filling.description;
  return translateNameConflict(name, () =>
    transact(scope, async (tx) => {
      const pipeline = await addPipeline(
        tx,
        { environmentId, name, description, yaml: text },
        graph,
        {
          action: "template.used",
          metadata: { templateId: template.id, template: template.name },
        },
      );
      await tx.em.flush();
      return pipeline;
    }),
  );
}
