import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  TemplateParameterType,
  type TemplateParameter as ParameterMessage,
  type TemplateSchema,
} from "#gen/vectorflow/v1/template_pb.ts";
import type { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { FieldViolations } from "../errors.ts";
import { problemsToProto } from "../pipelines/pipeline-proto.ts";
import { fullPipeline } from "../pipelines/pipeline.rpc.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isNamePlace, pageOf, pageSize } from "../rpc/page-token.ts";
import type { TemplateParameter } from "./template.entity.ts";
import {
  createTemplate,
  deleteTemplate,
  etagOf,
  getTemplate,
  listTemplates,
  updateTemplate,
  type TemplateView,
} from "./templates.ts";
import { previewTemplate, useTemplate } from "./use-template.ts";

/** Pipelines to start from. */
export function templateRpc(deps: ServerDeps): ServiceImpl<typeof TemplateService> {
  return {
    async listTemplates({ teamId, category, ...request }, ctx) {
      const size = pageSize(request.pageSize, 200, 200);
      const after = decodePageToken(request.pageToken, isNamePlace);
      const { em } = callScope(deps, ctx);
      const rows = await listTemplates({ em }, { teamId, category, after, limit: size + 1 });
      const { page, nextPageToken } = pageOf(rows, size, ({ name, id }) => ({
        name: name.toLowerCase(),
        id,
      }));
      return { templates: page.map((view) => toProto(view, false)), nextPageToken };
    },
    async getTemplate(request, ctx) {
      return { template: toProto(await getTemplate(callScope(deps, ctx), request), true) };
    },
    async createTemplate(request, ctx) {
      const parameters = parametersFromProto(request.parameters);
      const view = await createTemplate(callScope(deps, ctx), { ...request, parameters });
      return { template: toProto(view, true) };
    },
    async updateTemplate(request, ctx) {
      const parameters = parametersFromProto(request.parameters);
      const view = await updateTemplate(callScope(deps, ctx), { ...request, parameters });
      return { template: toProto(view, true) };
    },
    async deleteTemplate(request, ctx) {
      await deleteTemplate(callScope(deps, ctx), request);
      return {};
    },
    async previewTemplate(request, ctx) {
      const scope = callScope(deps, ctx);
      const { text, compiled } = await previewTemplate(scope, deps.compiler, request);
      return { yaml: text, problems: problemsToProto(compiled.problems, text) };
    },
    async useTemplate(request, ctx) {
      const scope = callScope(deps, ctx);
      const pipeline = await useTemplate(scope, deps.compiler, request);
      return { pipeline: await fullPipeline(deps, scope, pipeline) };
    },
  };
}

const types = {
  text: TemplateParameterType.TEXT,
  number: TemplateParameterType.NUMBER,
  boolean: TemplateParameterType.BOOLEAN,
  secret: TemplateParameterType.SECRET,
} satisfies Record<TemplateParameter["type"], TemplateParameterType>;

function toProto(
  view: TemplateView,
  withText: boolean,
): Exclude<MessageInitShape<typeof TemplateSchema>, Message> {
  return {
    id: view.id,
    name: view.name,
    description: view.description,
    category: view.category,
    builtIn: view.builtIn,
    parameters: view.parameters.map((parameter) => ({ ...parameter, type: types[parameter.type] })),
    yaml: withText ? view.yaml : "",
    etag: withText ? etagOf(view) : "",
    componentTypes: [...view.componentTypes],
    ...(view.updatedAt !== undefined && { updateTime: timestampFromDate(view.updatedAt) }),
  };
}

function parametersFromProto(messages: readonly ParameterMessage[]): readonly TemplateParameter[] {
  const violations = new FieldViolations();
  const parameters = messages.map((message, index): TemplateParameter => {
    const type = (Object.keys(types) as (keyof typeof types)[]).find(
      (candidate) => types[candidate] === message.type,
    );
    if (type === undefined) violations.add(`parameters.${index}.type`, "is required");
    const { name, description, required } = message;
    return { name, description, required, default: message.default, type: type ?? "text" };
  });
  violations.throwIfAny();
  return parameters;
}
