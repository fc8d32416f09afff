import type { ServiceImpl } from "@connectrpc/connect";
import { ConfigurationFormat, type ImportService } from "#gen/vectorflow/v1/import_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { callScope } from "../rpc/call-scope.ts";
import { compileIn } from "./compile-in.ts";
import { findVersion } from "./deployments.ts";
import type { ExportFormat } from "../configuration/interchange/export-config.ts";
import { kindToProto, problemsToProto } from "./pipeline-proto.ts";
import { findPipeline } from "./pipelines.ts";

const formats: Readonly<Partial<Record<ConfigurationFormat, ExportFormat>>> = {
  [ConfigurationFormat.YAML]: "yaml",
  [ConfigurationFormat.TOML]: "toml",
  [ConfigurationFormat.JSON]: "json",
};

const storedKinds = { source: "SOURCE", transform: "TRANSFORM", sink: "SINK" } as const;

export function importRpc(deps: ServerDeps): ServiceImpl<typeof ImportService> {
  const { compiler } = deps;
  return {
    async readConfiguration({ environmentId, files }, ctx) {
      const scope = callScope(deps, ctx);
      const { yaml, name, notices, problems } = await compiler.import(
        files.map(({ path, content }) => ({ path, content })),
      );
      const compiled =
        problems.length > 0
          ? undefined
          : await compileIn(scope, compiler, { environmentId, selector: null }, yaml);
      return {
        yaml,
        name,
        notices: [...notices],
        fileProblems: [...problems],
        problems: problemsToProto(compiled?.problems ?? [], yaml),
        components: (compiled?.graph?.components ?? []).map(({ key, kind, type, inputs }) => ({
          key,
          kind: kindToProto[storedKinds[kind]],
          type,
          inputs: [...inputs],
        })),
      };
    },
    async exportPipeline({ id, version, format }, ctx) {
      const scope = callScope(deps, ctx);
      const known = formats[format];
      if (known === undefined) {
        throw new DomainError("invalid", "invalid_request", "format is required", {
          violations: [{ field: "format", message: "is required" }],
        });
      }
      const pipeline = await findPipeline(scope, id);
      const yaml =
        version === 0 ? pipeline.yaml : (await findVersion(scope, id, version)).sourceYaml;
      const exported = await compiler.export(yaml, known);
      if (exported.kind === "impossible") {
        throw new DomainError("invalid", "export_impossible", exported.message);
      }
      const suffix = version === 0 ? "" : `-v${version}`;
      return {
        filename: `${pipeline.name}${suffix}.${known}`,
        content: exported.text,
        notices: [...exported.notices],
      };
    },
  };
}
