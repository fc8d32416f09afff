import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

interface Version {
  readonly id: string;
  stages: string[];
  readonly text?: string;
  readonly binary?: string;
}

/**
 * AWS Secrets Manager's wire protocol (JSON 1.1) for GetSecretValue: the headers of a signature are required and
 * checked for their shape, and errors are those of the service.
 */
export class FakeSecretsManager implements AsyncDisposable {
  readonly asked: { readonly secretId: string; readonly authorization: string }[] = [];
  readonly accessKeyIds = new Set<string>();
  /** Names of secrets that nobody may read. */
  readonly forbidden = new Set<string>();
  /** Errors to give before any other, as `ThrottlingException`. */
  readonly nextErrors: string[] = [];
  readonly #secrets = new Map<string, Version[]>();
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<FakeSecretsManager> {
    const fake = new FakeSecretsManager();
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  put(name: string, value: string | Uint8Array): string {
    const versions = this.#secrets.get(name) ?? [];
    const id = `${"0".repeat(8)}-0000-4000-8000-${String(versions.length + 1).padStart(12, "0")}`;
    for (const version of versions) {
      version.stages = version.stages.includes("AWSCURRENT") ? ["AWSPREVIOUS"] : [];
    }
    const content =
      typeof value === "string"
        ? { text: value }
        : { binary: Buffer.from(value).toString("base64") };
    this.#secrets.set(name, [...versions, { id, stages: ["AWSCURRENT"], ...content }]);
    return id;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const answer = this.#answer(request, text);
    const failed = "__type" in answer;
    const overloaded = failed && /Throttling|Internal/.test(String(answer["__type"]));
    response.writeHead(failed ? (overloaded ? 500 : 400) : 200, {
      "content-type": "application/x-amz-json-1.1",
    });
    response.end(JSON.stringify(answer));
  }

  #answer(request: http.IncomingMessage, text: string): Readonly<Record<string, unknown>> {
    const fail = (type: string) => ({ __type: type, message: `${type} of the fake` });
    const { authorization = "", ...headers } = request.headers;
    const body = JSON.parse(text) as {
      SecretId: string;
      VersionId?: string;
      VersionStage?: string;
    };
    this.asked.push({ secretId: body.SecretId, authorization });
    const planned = this.nextErrors.shift();
    if (planned !== undefined) return fail(planned);
    if (
      headers["x-amz-target"] !== "secretsmanager.GetSecretValue" ||
      headers["content-type"] !== "application/x-amz-json-1.1"
    ) {
      return fail("UnknownOperationException");
    }
    const signature =
      /^AWS4-HMAC-SHA256 Credential=(\w+)\/\d{8}\/[a-z0-9-]+\/secretsmanager\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/.exec(
        authorization,
      );
    if (signature === null || headers["x-amz-date"] === undefined) {
      return fail("MissingAuthenticationTokenException");
    }
    if (!this.accessKeyIds.has(signature[1] ?? "")) return fail("UnrecognizedClientException");
    if (this.forbidden.has(body.SecretId)) return fail("AccessDeniedException");
    const versions = this.#secrets.get(body.SecretId) ?? [];
    const stage = body.VersionStage ?? "AWSCURRENT";
    const found = versions.find(({ id, stages }) =>
      body.VersionId === undefined ? stages.includes(stage) : id === body.VersionId,
    );
    if (found === undefined) return fail("ResourceNotFoundException");
    return {
      ARN: `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${body.SecretId}-abcdef`,
      Name: body.SecretId,
      VersionId: found.id,
      VersionStages: found.stages,
      ...(found.text !== undefined && { SecretString: found.text }),
      ...(found.binary !== undefined && { SecretBinary: found.binary }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
