import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, inject, test } from "vitest";
import { Severity } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const refusal = (error: unknown) => {
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
};

async function begin(server: TestServer) {
  const { environmentId, token } = await setUp(server);
  return {
    environmentId,
    pipelines: server.client(PipelineService, token),
    secrets: server.client(SecretService, token),
  };
}

describe("MoveValueToSecret", () => {
  const draft = `sources:
  in:
    type: demo_logs
    format: json
sinks:
  out:
    type: http
    inputs: [in]
    uri: https://example.com
    encoding: {codec: json}
    auth:
      strategy: basic
      user: me
      password: hunter2-secret # old
`;

  test("replaces the value, creates the secret, and changes nothing else", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, secrets, environmentId } = await begin(server);
    const created = await pipelines.createPipeline({ environmentId, name: "Old", yaml: draft });
    const id = created.pipeline?.summary?.id ?? "";
    const warning = created.pipeline?.problems.find(({ fix }) => fix !== undefined);
    expect(warning).toMatchObject({
      severity: Severity.WARNING,
      componentKey: "out",
      field: "auth.password",
      fix: { kind: { case: "moveToSecret", value: "out_password" } },
    });
    expect(warning?.message).not.toContain("hunter2");
    const place = {
      pipelineId: id,
      revision: created.pipeline?.revision ?? "",
      componentKey: "out",
      field: "auth.password",
      secretName: "out_password",
    };
    const elsewhere = await secrets
      .moveValueToSecret({ ...place, field: "auth.user" })
      .catch(refusal);
    expect(elsewhere).toMatchObject({ code: Code.InvalidArgument });
    const moved = await secrets.moveValueToSecret(place);
    expect(moved.pipeline?.yaml).toBe(draft.replace("hunter2-secret", '"SECRET[out_password]"'));
    expect(moved.pipeline?.problems.some(({ fix }) => fix !== undefined)).toBe(false);
    const late = await secrets.moveValueToSecret(place).catch(refusal);
    expect(late).toMatchObject({ code: Code.Aborted });
    const { secrets: listed } = await secrets.listSecrets({ environmentId });
    const secret = listed.find(({ name }) => name === "out_password");
    expect(secret?.uses).toMatchObject([{ pipelineName: "Old", draft: true, deployed: false }]);
    const { value } = await secrets.revealSecret({ environmentId, id: secret?.id ?? "" });
    expect(value).toBe("hunter2-secret");
  });

  test("uses a secret of that name with the same value, and refuses one with another", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, secrets, environmentId } = await begin(server);
    await secrets.createSecret({ environmentId, name: "same", value: "hunter2-secret" });
    await secrets.createSecret({ environmentId, name: "other", value: "something else" });
    const created = await pipelines.createPipeline({ environmentId, name: "Old", yaml: draft });
    const place = {
      pipelineId: created.pipeline?.summary?.id ?? "",
      revision: created.pipeline?.revision ?? "",
      componentKey: "out",
      field: "auth.password",
    };
    const taken = await secrets.moveValueToSecret({ ...place, secretName: "other" }).catch(refusal);
    expect(taken).toMatchObject({ code: Code.AlreadyExists });
    const { pipeline } = await pipelines.getPipeline({ id: place.pipelineId });
    expect(pipeline?.yaml).toBe(draft);
    const large = `${draft}#${"x".repeat(200_000)}\n`;
    const saved = await pipelines.updatePipeline({
      id: place.pipelineId,
      revision: place.revision,
      yaml: large,
    });
    const revision = saved.pipeline?.revision ?? "";
    const refused = await secrets
      .moveValueToSecret({ ...place, revision, secretName: "same" })
      .catch(refusal);
    expect(refused).toMatchObject({ code: Code.InvalidArgument });
    const back = await pipelines.updatePipeline({ id: place.pipelineId, revision, yaml: draft });
    const moved = await secrets.moveValueToSecret({
      ...place,
      revision: back.pipeline?.revision ?? "",
      secretName: "same",
    });
    expect(moved.pipeline?.yaml).toContain('"SECRET[same]"');
  });
});
