import { create } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";

import { VariableSchema } from "#gen/vectorflow/v1/variable_pb.ts";
import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";

import { fakePage } from "./fake-page.ts";
import { failure, type FakeWorld } from "./fake-world.ts";

/** Variables over a fake world. */
export function fakeVariableRoutes(router: ConnectRouter, world: FakeWorld): void {
  const state = world.variables;
  router.service(VariableService, {
    listVariables(request) {
      world.enter("listVariables");
      const missing = request.pageToken === "" ? state.missing : [];
      return fakePage(world, request, state.variables.values(), (variables) => ({
        variables,
        missing,
      }));
    },
    previewVariable() {
      world.enter("previewVariable");
      return { pipelines: state.effects };
    },
    createVariable({ environmentId, name, value, description }) {
      world.enter("createVariable");
      if (state.variables.has(name)) {
        throw failure(Code.AlreadyExists, "the name is taken", "variable_name_taken", [
          { field: "name", message: "is taken" },
        ]);
      }
      const variable = create(VariableSchema, {
        id: name,
        environmentId,
        name,
        value,
        description,
      });
      state.variables.set(name, variable);
      state.missing = state.missing.filter((missing) => missing.name !== name);
      return { variable };
    },
    updateVariable({ id, value, description, valueBefore, deploy }) {
      world.enter("updateVariable");
      const before = state.variables.get(id);
      if (before?.value !== valueBefore) {
        throw failure(Code.Aborted, "someone else changed it", "variable_changed");
      }
      const variable = create(VariableSchema, { ...before, value, description });
      state.variables.set(id, variable);
      const names = state.effects.map(({ name }) => name);
      return { variable, ...(deploy ? { deployedNames: names } : { staleNames: names }) };
    },
    deleteVariable({ id }) {
      world.enter("deleteVariable");
      state.variables.delete(id);
      return {};
    },
  });
}
