import {
  SecretBackend,
  SecretBackendFailure,
  type SecretReference,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";

/** Where an environment keeps values, as people call it. */
export function backendName(backend: SecretBackend): string {
  switch (backend) {
    case SecretBackend.VAULT:
      return "Vault";
    case SecretBackend.AWS_SM:
      return "AWS Secrets Manager";
    case SecretBackend.EXEC:
      return "the command";
    default:
      return "VectorFlow";
  }
}

/** What a backend could not do, for everyone who sees the secrets. */
export function failureText(failure: SecretBackendFailure): string | undefined {
  switch (failure) {
    case SecretBackendFailure.UNSPECIFIED:
      return undefined;
    case SecretBackendFailure.SETTINGS:
      return "its reference does not fit the settings of the backend";
    case SecretBackendFailure.ADDRESS:
      return "the address does not answer";
    case SecretBackendFailure.TLS:
      return "its certificate is not trusted";
    case SecretBackendFailure.SIGN_IN:
      return "it does not accept the sign-in";
    case SecretBackendFailure.PERMISSION:
      return "the sign-in may not read it";
    case SecretBackendFailure.PATH:
      return "there is no such path, key or version, or it is empty";
    case SecretBackendFailure.UNAVAILABLE:
      return "it is not able to answer";
    default:
      return "its answer cannot be read";
  }
}

/** A reference in one line, as in `apps/web · password · version 3`. */
export function referenceText({ path, key, version }: SecretReference): string {
  return [path, key, version === "" ? "" : `version ${version}`]
    .filter((part) => part !== "")
    .join(" · ");
}
