import { audit } from "../audit/audit.ts";
import { transact } from "../db/transaction.ts";
import { FieldViolations } from "../errors.ts";
import { loadCatalogue } from "../pipelines/catalogue.ts";
import type { FilledPipeline } from "../pipelines/compile-filled.ts";
import type { PipelineCompiler } from "../pipelines/compiler.ts";
import type { Pipeline } from "../pipelines/pipeline.entity.ts";
import { addPipeline, compileIn, teamIdOf, translateNameConflict } from "../pipelines/pipelines.ts";
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
  readonly teamId: string | null;
  readonly text: string;
}> {
  const teamId = await teamIdOf(scope, environmentId);
  const template = await getTemplate(scope, { teamId, id: templateId });
  const violations = new FieldViolations();
  const text = fillTemplate(template, values, loadCatalogue(), violations);
  violations.throwIfAny();
  return { template, teamId, text };
}

/** The text that a template gives, and what is wrong with it in an environment. */
export async function previewTemplate(
  scope: Scope,
  compiler: PipelineCompiler,
  filling: Filling,
): Promise<{ readonly text: string; readonly compiled: FilledPipeline }> {
  const { text } = await fill(scope, filling);
  return { text, compiled: await compileIn(scope, compiler, filling.environmentId, text) };
}

/** Creates a draft from a template, in one transaction. */
export async function useTemplate(
  scope: Scope,
  compiler: PipelineCompiler,
  filling: Filling & { readonly name: string; readonly description: string },
): Promise<Pipeline> {
  const { environmentId, name } = filling;
  const { template, teamId, text } = await fill(scope, filling);
  const { graph } = await compileIn(scope, compiler, environmentId, text);
  const description = filling.description === "" ? template.description : filling.description;
  return translateNameConflict(name, () =>
    transact(scope, async (tx) => {
      const pipeline = await addPipeline(
        tx,
        { environmentId, name, description, yaml: text },
        graph,
      );
      audit(tx, {
        action: "template.used",
        entityType: "Template",
        entityId: template.id,
        teamId,
        environmentId,
        metadata: { name: template.name, pipeline: pipeline.name, pipelineId: pipeline.id },
      });
      await tx.em.flush();
      return pipeline;
    }),
  );
}
