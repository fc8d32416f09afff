import type { Variable } from "#gen/vectorflow/v1/variable_pb.ts";
import type { MissingVariable, VariableEffect } from "#gen/vectorflow/v1/variable_service_pb.ts";

/** Variables of the fake world. */
export class FakeVariables {
  readonly variables = new Map<string, Variable>();
  missing: MissingVariable[] = [];
  /** What a change of any variable does. */
  effects: VariableEffect[] = [];
}
