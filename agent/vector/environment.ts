// What a Vector process may know of the agent's environment. Above all no VECTOR_* (they add
// configuration), no VECTORFLOW_* (they hold tokens) and no credentials of other programs (A14).
const allowed = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "USER",
  "LOGNAME",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

/** The environment that Vector processes start with. */
export function scrubbedEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    allowed.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
