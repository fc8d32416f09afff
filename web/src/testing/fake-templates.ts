import { create } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";

import { TemplateSchema, type TemplateParameter } from "#gen/vectorflow/v1/template_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";

import { aPipelineLive } from "./builders.ts";
import { fakePage } from "./fake-page.ts";
import { checkYaml, failure, type FakeWorld } from "./fake-world.ts";

/** Templates over a fake world. */
export function fakeTemplateRoutes(router: ConnectRouter, world: FakeWorld): void {
  const { templates } = world.templates;
  const found = (id: string) => {
    const template = templates.get(id);
    if (template === undefined) throw failure(Code.NotFound, "no template", "template_not_found");
    return template;
  };
  const filled = (id: string, values: Readonly<Record<string, string>>): string => {
    const template = found(id);
    const valueOf = (parameter: TemplateParameter): string =>
      values[parameter.name] || parameter.default;
    const missing = template.parameters.find(
      (parameter) => parameter.required && valueOf(parameter) === "",
    );
    if (missing !== undefined) {
      throw failure(Code.InvalidArgument, "something is required", "invalid_request", [
        { field: `values.${missing.name}`, message: "is required" },
      ]);
    }
    return template.parameters.reduce(
      (text, parameter) => text.replaceAll(`PARAM[${parameter.name}]`, valueOf(parameter)),
      template.yaml,
    );
  };
  router.service(TemplateService, {
    listTemplates(request) {
      world.enter("listTemplates");
      return fakePage(world, request, templates.values(), (list) => ({ templates: list }));
    },
    getTemplate({ id }) {
      world.enter("getTemplate");
      return { template: found(id) };
    },
    createTemplate({ name, description, category, parameters, yaml }) {
      world.enter("createTemplate");
      if (yaml.includes("hunter2")) {
        throw failure(Code.InvalidArgument, "the text holds a credential", "invalid_request", [
          { field: "yaml.out.auth.password", message: "holds a value that is meant to be secret" },
        ]);
      }
      const input = { name, description, category, parameters, yaml };
      const template = create(TemplateSchema, { ...input, id: name });
      templates.set(template.id, template);
      return { template };
    },
    updateTemplate({ id, name, description, category, parameters, yaml, etag }) {
      world.enter("updateTemplate");
      if (etag !== found(id).etag) {
        throw failure(Code.Aborted, "someone else changed this template", "template_changed");
      }
      const input = { name, description, category, parameters, yaml };
      const template = create(TemplateSchema, { ...found(id), ...input, etag: `${etag}+` });
      templates.set(template.id, template);
      return { template };
    },
    deleteTemplate({ id }) {
      world.enter("deleteTemplate");
      templates.delete(id);
      return {};
    },
    previewTemplate({ templateId, values }) {
      world.enter("previewTemplate");
      const yaml = filled(templateId, values);
      return { yaml, problems: checkYaml(yaml) };
    },
    useTemplate({ templateId, name, values }) {
      world.enter("useTemplate");
      const yaml = filled(templateId, values);
      const live = aPipelineLive({ summary: { id: "pipe-made", name } });
      world.templates.made.push({ name, yaml });
      return { pipeline: { ...(live.summary && { summary: live.summary }), yaml, revision: "1" } };
    },
  });
}
