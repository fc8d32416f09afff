/** What the operator of the server allows backends of secrets. Environments choose within it. */
export interface SecretBackendConfig {
  /** Networks that may be called; empty: every one but this host's own and cloud metadata. */
  readonly networks: readonly string[];
  /** Programs with their arguments, by name. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
  /** Origins of Vaults that may see the service account token. */
  readonly kubernetesAddresses: readonly string[];
  readonly kubernetesTokenPath: string;
  readonly awsHostIdentity: boolean;
}

/** Reads VECTORFLOW_SECRET_COMMANDS: an object of lists of texts, each with an absolute path first. */
export function parseCommands(
  text: string | undefined,
  problems: string[],
): Readonly<Record<string, readonly string[]>> {
  if (text === undefined) return {};
  const refuse = (what: string): Readonly<Record<string, readonly string[]>> => {
    problems.push(`VECTORFLOW_SECRET_COMMANDS ${what}`);
    return {};
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse('must be JSON, as in {"pass": ["/usr/local/bin/read-pass"]}');
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return refuse("must be an object in JSON, with a list for each name");
  }
  for (const [name, argv] of Object.entries(parsed)) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) {
      return refuse(`has ${JSON.stringify(name)}, which is no name of letters, digits, _ and -`);
    }
    const texts = Array.isArray(argv) && argv.every((item) => typeof item === "string");
    if (!texts || !String(argv[0]).startsWith("/")) {
      return refuse(`must give ${name} a list that starts with the absolute path of a program`);
    }
  }
  return Object.freeze(parsed as Record<string, readonly string[]>);
}
