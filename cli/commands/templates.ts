import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import type { Template } from "#gen/vectorflow/v1/template_pb.ts";
import { CliError, UsageError, exitCodes, messageOf, type ExitCode } from "../failures.ts";
import { printable } from "../output/printable.ts";
import { formatTable } from "../output/table.ts";
import { templateView } from "../output/views.ts";
import { environmentOf, type CommandContext } from "./context.ts";

async function readTemplates(context: CommandContext): Promise<readonly Template[]> {
  const { teamId } = await environmentOf(context);
  const all: Template[] = [];
  let pageToken = "";
  do {
    const page = await context.client.templates.listTemplates({ teamId, pageToken });
    all.push(...page.templates);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return all;
}

export async function templatesList(context: CommandContext): Promise<ExitCode> {
  const value = (await readTemplates(context)).map(templateView);
  context.output.result(value, () =>
    formatTable(
      ["NAME", "CATEGORY", "PARAMETERS", "DESCRIPTION"],
      value.map(({ name, category, parameters, description }) => [
        printable(name),
        printable(category),
        printable(
          parameters
            .map((parameter) =>
              parameter.default === "" ? parameter.name : `${parameter.name}=${parameter.default}`,
            )
            .join(" "),
        ),
        printable(description),
      ]),
    ),
  );
  return exitCodes.ok;
}

/** Makes a draft from a template, by its name or id. */
export async function templatesUse(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  if (flags.name === undefined)
    throw new UsageError("--name is required: what the pipeline is called");
  const values = flags.values === undefined ? {} : await readValues(context, flags.values);
  const { id: environmentId } = await environmentOf(context);
  const templates = await readTemplates(context);
  const template =
    templates.find(({ id }) => id === argument) ??
    templates.find(({ name }) => name.toLowerCase() === argument.toLowerCase());
  if (template === undefined) throw new CliError(`there is no template ${argument}`);
  const templateId = template.id;
  const preview = await client.templates.previewTemplate({ environmentId, templateId, values });
  const problems = preview.problems.map(({ componentKey, message }) =>
    componentKey === "" ? message : `${componentKey}: ${message}`,
  );
  if (flags["dry-run"] === true) {
    output.result(
      { pipeline: flags.name, result: "would_change", problems, yaml: preview.yaml },
      () => preview.yaml.trimEnd(),
    );
    return exitCodes.differences;
  }
  const { pipeline } = await client.templates.useTemplate({
    environmentId,
    templateId,
    values,
    name: flags.name,
    description: flags.description ?? "",
  });
  for (const problem of problems) output.note(printable(problem));
  const value = {
    pipeline: pipeline?.summary?.name ?? flags.name,
    result: "created",
    problems,
    yaml: pipeline?.yaml ?? "",
  };
  output.result(value, () => printable(`${value.pipeline} created; deploy it when it is ready`));
  return exitCodes.ok;
}

async function readValues(
  { stdin }: CommandContext,
  path: string,
): Promise<Readonly<Record<string, string>>> {
  let parsed: unknown;
  try {
    const bytes = path === "-" ? await stdin.readAll() : await readFile(path);
    parsed = parse(bytes.toString());
  } catch (error) {
    throw new UsageError(`--values cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new UsageError("--values must be a map in YAML or JSON, with a value for each parameter");
  }
  const entries = Object.entries(parsed).map(([name, value]: [string, unknown]) => {
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw new UsageError(`--values: ${name} must be a text, a number, or true or false`);
    }
    return [name, String(value)] as const;
  });
  return Object.fromEntries(entries);
}
