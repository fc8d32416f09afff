import { getOption, type DescMessage, type DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { Resource, audit } from "#gen/vectorflow/v1/options_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { userServices } from "../routes.ts";
import { ruleOf } from "./access-interceptor.ts";

const methods = userServices.flatMap((service) =>
  service.methods.map((method) => ({ name: `${service.typeName}/${method.name}`, method })),
);

/** Fields whose names look like secrets: shown once by design, or no secrets. */
const shown = new Set([
  // Shown once, to whoever asked for it.
  "vectorflow.v1.LoginResponse.session_token",
  "vectorflow.v1.ChangePasswordResponse.session_token",
  "vectorflow.v1.CreateUserResponse.temporary_password",
  "vectorflow.v1.ResetPasswordResponse.temporary_password",
  "vectorflow.v1.CreateEnrollmentTokenResponse.token",
  "vectorflow.v1.CreateApiTokenResponse.token",
  "vectorflow.v1.BeginSecondFactorResponse.secret",
  // Facts about secrets.
  "vectorflow.v1.CurrentUser.must_change_password",
  "vectorflow.v1.CurrentUser.has_password",
  "vectorflow.v1.User.must_change_password",
  "vectorflow.v1.User.has_password",
  "vectorflow.v1.AuthenticationSettings.has_client_secret",
  "vectorflow.v1.Environment.enrollment_token_hint",
  "vectorflow.v1.ListApiTokensResponse.tokens",
  "vectorflow.v1.CreateApiTokenResponse.api_token",
  // Secrets by their names, without their values.
  "vectorflow.v1.ListSecretsResponse.secrets",
  "vectorflow.v1.CreateSecretResponse.secret",
  "vectorflow.v1.UpdateSecretResponse.secret",
  "vectorflow.v1.ProblemFix.move_to_secret",
]);

/** Every field that a message can hold, at any depth. */
function fieldsOf(message: DescMessage, seen = new Set<string>()): string[] {
  if (seen.has(message.typeName)) return [];
  seen.add(message.typeName);
  return message.fields.flatMap((field) => {
    const name = `${message.typeName}.${field.name}`;
    // A place in a list.
    const own = field.name === "next_page_token" ? [] : [name];
    const inner = "message" in field && field.message !== undefined ? field.message : undefined;
    return inner === undefined ? own : [...own, ...fieldsOf(inner, seen)];
  });
}

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
    const { also } = rule.value;
    if (also === undefined) return;
    expect(also.role).not.toBe(Role.UNSPECIFIED);
    expect(also.resource).not.toBe(Resource.UNSPECIFIED);
    expect(method.input.fields.map(({ name }) => name)).toContain(also.field);
  });

  test.each(methods)("$name declares an audit action if it changes something", ({ method }) => {
    const action = getOption(method, audit);
    if (reads(method)) expect(action).toBe("");
    else expect(action).toMatch(/^[a-z_]+(\.[a-z_]+)+$/);
  });

  test.each(methods)("$name answers with no field that holds a secret", ({ method }) => {
    const suspicious = /hash|secret|password|token|sealed|encrypted|private/;
    expect(
      fieldsOf(method.output).filter((name) => suspicious.test(name) && !shown.has(name)),
    ).toEqual([]);
  });
});
