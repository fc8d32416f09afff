import type {
  GetSecretValueCommandOutput,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import {
  BackendFailure,
  usableValue,
  valueOfKey,
  type BackendClient,
  type ReadOutcome,
  type SecretReference,
} from "./backend.ts";
import { callTimeoutMs, failureOfConnection, openAgents, type OutboundAgents } from "./outbound.ts";
import type { AwsSettings } from "./settings.ts";

/** No secret has this name; whoever may sign in is told so. */
const nothing = "vectorflow/connection-test";

/** Reads AWS Secrets Manager, by AWS's own client: it signs, and tries again when it is throttled. */
export class AwsClient implements BackendClient {
  readonly #settings: AwsSettings;
  readonly #secretAccessKey: string;
  readonly #agents: OutboundAgents;
  #client: Promise<Reader> | undefined;

  constructor(settings: AwsSettings, secretAccessKey: string, networks: readonly string[]) {
    this.#settings = settings;
    this.#secretAccessKey = secretAccessKey;
    this.#agents = openAgents(networks, settings.caPem);
    if (settings.endpoint !== "") this.#agents.check(new URL(settings.endpoint));
  }

  async read(references: readonly SecretReference[], signal: AbortSignal): Promise<ReadOutcome[]> {
    // Several keys of one secret are one call.
    const placeOf = ({ path, version }: SecretReference): string => `${path}\0${version}`;
    const found = new Map<string, ReadOutcome>();
    for (const reference of references) {
      const place = placeOf(reference);
      if (!found.has(place)) found.set(place, await this.#readOne(reference, signal));
    }
    return references.map((reference) => {
      const outcome = found.get(placeOf(reference));
      if (outcome === undefined) throw new Error("a reference was not read");
      return outcome.kind === "value" ? partOf(outcome.value, reference.key) : outcome;
    });
  }

  async check(signal: AbortSignal): Promise<string> {
    const outcome = await this.#readOne({ path: nothing, key: "", version: "" }, signal);
    if (outcome.kind === "failed" && outcome.failure.isOfBackend) throw outcome.failure;
    return "AWS accepts the sign-in";
  }

  async keepAlive(): Promise<void> {
    // Every call is signed by itself.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#client?.catch(() => undefined))?.close();
    this.#agents[Symbol.dispose]();
  }

  async #readOne({ path, version }: SecretReference, signal: AbortSignal): Promise<ReadOutcome> {
    try {
      const client = await (this.#client ??= this.#open());
      return textOf(await client.get(path, version, signal));
    } catch (error) {
      signal.throwIfAborted();
      const failure = failureOf(error);
      if (failure.isOfBackend) throw failure;
      return { kind: "failed", failure };
    }
  }

  /** Loaded when it is first needed: it is large, and most installations have no use for it. */
  async #open(): Promise<Reader> {
    const { SecretsManagerClient, GetSecretValueCommand } =
      await import("@aws-sdk/client-secrets-manager");
    const { region, endpoint, accessKeyId } = this.#settings;
    const client: SecretsManagerClient = new SecretsManagerClient({
      region,
      maxAttempts: 3,
      ...(endpoint !== "" && { endpoint }),
      ...(accessKeyId !== "" && {
        credentials: { accessKeyId, secretAccessKey: this.#secretAccessKey },
      }),
      requestHandler: {
        connectionTimeout: callTimeoutMs,
        requestTimeout: callTimeoutMs,
        throwOnRequestTimeout: true,
        httpAgent: this.#agents.http,
        httpsAgent: this.#agents.https,
      },
    });
    return {
      get: (path, version, signal) =>
        client.send(new GetSecretValueCommand({ SecretId: path, ...pinOf(version) }), {
          abortSignal: signal,
        }),
      close: () => client.destroy(),
    };
  }
}

interface Reader {
  get(path: string, version: string, signal: AbortSignal): Promise<GetSecretValueCommandOutput>;
  close(): void;
}

/** Ids of versions are UUIDs, or what whoever made them chose from 32 characters on; stages are shorter. */
function pinOf(version: string): { VersionId?: string; VersionStage?: string } {
  if (version === "") return {};
  return version.length >= 32 ? { VersionId: version } : { VersionStage: version };
}

function textOf({ SecretString, SecretBinary }: GetSecretValueCommandOutput): ReadOutcome {
  if (SecretString !== undefined) return usableValue(SecretString);
  try {
    return usableValue(new TextDecoder("utf-8", { fatal: true }).decode(SecretBinary));
  } catch {
    const failure = new BackendFailure("path", "its value is binary: keep it as text");
    return { kind: "failed", failure };
  }
}

function partOf(text: string, key: string): ReadOutcome {
  if (key === "") return { kind: "value", value: text };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Said by what takes the key.
  }
  return valueOfKey(parsed, key);
}

const signInErrors = new Set([
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "InvalidClientTokenId",
  "InvalidClientTokenIdException",
  "SignatureDoesNotMatch",
  "SignatureDoesNotMatchException",
  "IncompleteSignatureException",
  "MissingAuthenticationTokenException",
  "ExpiredTokenException",
  "CredentialsProviderError",
  "TokenRefreshRequired",
]);

function failureOf(error: unknown): BackendFailure {
  if (error instanceof BackendFailure) return error;
  const { name, $metadata } = error as {
    name?: string;
    $metadata?: { readonly httpStatusCode?: number };
  };
  const fail = (kind: BackendFailure["kind"], message: string): BackendFailure =>
    new BackendFailure(kind, message, { cause: error });
  if (name === "ResourceNotFoundException")
    return fail("path", "there is no such secret or version");
  if (name === "InvalidParameterException" || name === "ValidationException") {
    return fail("path", "AWS does not take this name or version");
  }
  if (name === "InvalidRequestException") return fail("path", "it is marked for deletion");
  if (name === "AccessDeniedException") return fail("permission", "the sign-in may not read it");
  if (name === "DecryptionFailure") {
    return fail("permission", "the sign-in may not use the key that encrypts it");
  }
  if (signInErrors.has(name ?? "")) return fail("sign_in", "AWS does not accept the access key");
  const status = $metadata?.httpStatusCode;
  if (/Throttling|TooManyRequests|LimitExceeded/.test(name ?? "") || status === 429) {
    return fail("unavailable", "AWS limits how often it is asked");
  }
  if (status !== undefined && status >= 500)
    return fail("unavailable", "AWS is not able to answer");
  if (status !== undefined) return fail("answer", "what answers is not AWS Secrets Manager");
  return failureOfConnection(error);
}
