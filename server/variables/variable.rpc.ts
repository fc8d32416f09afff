import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { VariableSchema, VariableUseSchema } from "#gen/vectorflow/v1/variable_pb.ts";
import type { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isText, pageOf, pageSize } from "../rpc/page-token.ts";
import { findMissing, readUses, type ReferenceUse } from "../secrets/uses.ts";
import { previewVariable, updateVariable } from "./affected.ts";
import { readDeployedValues, type DeployedValues } from "./deployed-values.ts";
import type { Variable } from "./variable.entity.ts";
import { createVariable, deleteVariable, listVariables } from "./variables.ts";

type Init<T> = Exclude<T, Message>;

/** The values of an environment that are no secrets. */
export function variableRpc(deps: ServerDeps): ServiceImpl<typeof VariableService> {
  return {
    async listVariables({ environmentId, ...request }, ctx) {
      const size = pageSize(request.pageSize, 500, 500);
      const after = decodePageToken(request.pageToken, isText);
      const scope = callScope(deps, ctx);
      const rows = await listVariables(scope, environmentId, { after, limit: size + 1 });
      const { page, nextPageToken } = pageOf(rows, size, ({ name }) => name);
      const uses = await readUses(scope, environmentId, "variable");
      const values = await readDeployedValues(scope, environmentId);
      const missing =
        after === undefined ? await findMissing(scope, environmentId, "variable", uses) : [];
      const usesOf = (name: string, own: readonly ReferenceUse[]) =>
        own.map((use) => useToProto(use, name, values));
      return {
        variables: page.map((variable) => ({
          ...toProto(variable),
          uses: usesOf(variable.name, uses.get(variable.name) ?? []),
        })),
        missing: missing.map(([name, own]) => ({ name, uses: usesOf(name, own) })),
        nextPageToken,
      };
    },
    async previewVariable(request, ctx) {
      const effects = await previewVariable(callScope(deps, ctx), deps.compiler, request);
      return {
        pipelines: effects.map((effect) => ({
          ...effect,
          componentKeys: [...effect.componentKeys],
          errors: [...effect.errors],
          failedTests: [...effect.failedTests],
        })),
      };
    },
    async createVariable(request, ctx) {
      return { variable: toProto(await createVariable(callScope(deps, ctx), request)) };
    },
    async updateVariable(request, ctx) {
      const scope = callScope(deps, ctx);
      const { variable, deployed, stale } = await updateVariable(scope, deps.compiler, request);
      return {
        variable: toProto(variable),
        deployedNames: [...deployed],
        staleNames: [...stale],
      };
    },
    async deleteVariable(request, ctx) {
      await deleteVariable(callScope(deps, ctx), request);
      return {};
    },
  };
}

function toProto(variable: Variable): Init<MessageInitShape<typeof VariableSchema>> {
  const { id, environmentId, name, value, description } = variable;
  return {
    id,
    environmentId,
    name,
    value,
    description: description ?? "",
    createTime: timestampFromDate(variable.createdAt),
    updateTime: timestampFromDate(variable.updatedAt),
  };
}

function useToProto(
  use: ReferenceUse,
  name: string,
  values: DeployedValues,
): Init<MessageInitShape<typeof VariableUseSchema>> {
  return { ...use, deployedValue: values.get(use.pipelineId)?.[name] ?? "" };
}
