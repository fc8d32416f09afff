import { getOption, type DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { Resource, audit } from "#gen/vectorflow/v1/options_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { userServices } from "../routes.ts";
import { ruleOf } from "./access-interceptor.ts";

const methods = userServices.flatMap((service) =>
  service.methods.map((method) => ({ name: `${service.typeName}/${method.name}`, method })),
);

const reads = (method: DescMethod): boolean =>
  method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;

describe("every rpc", () => {
  test.each(methods)("$name declares who may call it", ({ method }) => {
    const rule = ruleOf(method);
    expect(rule?.case).toBeDefined();
    if (rule?.case !== "team") return;
    expect(rule.value.role).not.toBe(Role.UNSPECIFIED);
    expect(rule.value.resource).not.toBe(Resource.UNSPECIFIED);
    // The field that leads to the team exists in the request.
    expect(method.input.fields.map(({ name }) => name)).toContain(rule.value.field);
  });

  test.each(methods)("$name declares an audit action if it changes something", ({ method }) => {
    const action = getOption(method, audit);
    if (reads(method)) expect(action).toBe("");
    else expect(action).toMatch(/^[a-z_]+(\.[a-z_]+)+$/);
  });
});
