import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  ComponentOptionSchema,
  ComponentSchemaInfoSchema,
  ComponentSchemaService,
  ComponentTypeSchema,
  VersionsInUseSchema,
} from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { ComponentKind } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { loadCatalogue, type Catalogue, type Kind } from "../configuration/catalogue.ts";
import { kindToProto } from "../pipelines/pipeline-proto.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, pageOf, pageSize } from "../rpc/page-token.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import {
  componentForm,
  componentTypes,
  type ComponentType,
  type FormOption,
} from "./component-forms.ts";
import { versionsInUse, type VersionsInUse } from "./versions-in-use.ts";
import { isVersion, listSchemas, readSchema, type SchemaInfo } from "./component-schemas.ts";

export function componentSchemaRpc(deps: ServerDeps): ServiceImpl<typeof ComponentSchemaService> {
  return {
    async listComponentSchemas(request, ctx) {
      const size = pageSize(request.pageSize, 200, 200);
      const after = decodePageToken(request.pageToken, isVersion);
      const rows = await listSchemas(callScope(deps, ctx), after, size + 1);
      const { page, nextPageToken } = pageOf(rows, size, ({ vectorVersion }) => vectorVersion);
      return { schemas: page.map(infoToProto), nextPageToken };
    },
    async getComponentSchema(request, ctx) {
      const row = await readSchema(callScope(deps, ctx), request.vectorVersion.slice(0, 100));
      return { info: infoToProto(row), schemaGzip: new Uint8Array(row.schemaGzip) };
    },
    async getComponentCatalogue({ environmentId }, ctx) {
      const catalogue = loadCatalogue();
      const versions = await versionsInUse(callScope(deps, ctx), deps.compiler, environmentId);
      return {
        types: componentTypes(catalogue, versions).map(typeToProto),
        versions: versionsToProto(versions, catalogue),
      };
    },
    async getComponentForm({ environmentId, kind, type }, ctx) {
      const catalogue = loadCatalogue();
      const versions = await versionsInUse(callScope(deps, ctx), deps.compiler, environmentId);
      const form = componentForm(kindFromProto(kind), type.slice(0, 200), catalogue, versions);
      return {
        type: typeToProto(form.type),
        options: form.options.map(optionToProto),
        versions: versionsToProto(versions, catalogue),
      };
    },
  };
}

const storedKinds: Readonly<Partial<Record<ComponentKind, Kind>>> = {
  [ComponentKind.SOURCE]: "source",
  [ComponentKind.TRANSFORM]: "transform",
  [ComponentKind.SINK]: "sink",
};

function kindFromProto(kind: ComponentKind): Kind {
  const stored = storedKinds[kind];
  if (stored !== undefined) return stored;
  throw new DomainError("invalid", "component_kind_missing", "name the kind of the component", {
    violations: [{ field: "kind", message: "is required" }],
  });
}

function typeToProto(type: ComponentType): Plain<typeof ComponentTypeSchema> {
  const kind = kindToProto[type.kind.toUpperCase() as "SOURCE" | "TRANSFORM" | "SINK"];
  return { ...type, kind, lackingIn: [...type.lackingIn] };
}

function optionToProto(option: FormOption): Plain<typeof ComponentOptionSchema> {
  return {
    path: option.path,
    types: typeof option.type === "string" ? [option.type] : [...option.type],
    required: option.required === true && option.variant !== true,
    defaultJson: option.default === undefined ? "" : JSON.stringify(option.default),
    values: [...(option.enum ?? [])],
    description: option.description,
    relevantWhen: option.relevant_when ?? "",
    requiredWhen: option.required_when ?? "",
    sensitive: option.sensitive !== undefined,
    unit: option.unit ?? "",
    syntax: syntaxOf(option),
    deprecated: option.deprecated === true,
    lackingIn: [...option.lackingIn],
  };
}

function syntaxOf({ type, syntax }: FormOption): string {
  return type === "condition" || syntax === "vrl_program" ? "vrl" : (syntax ?? "");
}

function versionsToProto(
  { present, differences }: VersionsInUse,
  catalogue: Catalogue,
): Plain<typeof VersionsInUseSchema> {
  const known = differences.map(({ version }) => version);
  return { present: [...present], known, shipped: catalogue.vectorVersion };
}

type Plain<Schema extends DescMessage> = Exclude<MessageInitShape<Schema>, Message>;

function infoToProto(info: SchemaInfo): MessageInitShape<typeof ComponentSchemaInfoSchema> {
  return {
    vectorVersion: info.vectorVersion,
    sizeBytes: info.sizeBytes,
    error: info.error ?? "",
    ...optionalTime("time", info.storedAt),
  };
}
