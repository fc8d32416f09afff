/**
 * Every environment variable that the product reads: the server's, and those of `npm start` and the
 * agent, so that nothing known is warned about. `docs/configuration.md` is generated from this list.
 */
export const configKeys = [
  {
    key: "VECTORFLOW_DATA_DIR",
    reader: "server",
    default: "`.vectorflow`",
    text: "Where the embedded database, the generated secret and the local agent of `npm start` keep their files.",
  },
  {
    key: "VECTORFLOW_HTTP_LISTEN",
    reader: "server",
    default: "`127.0.0.1:8080`",
    text: "Where the web client and the API listen. Port 0 picks a free one.",
  },
  {
    key: "VECTORFLOW_AGENT_LISTEN",
    reader: "server",
    default: "`127.0.0.1:8081`",
    text: "Where agents connect. Port 0 picks a free one.",
  },
  {
    key: "VECTORFLOW_PUBLIC_URL",
    reader: "server",
    default: "the HTTP listener",
    text: "Address of the web client as people reach it. Links and commands are made from it, never from a request.",
  },
  {
    key: "VECTORFLOW_AGENT_PUBLIC_URL",
    reader: "server",
    default: "host of the public URL, port of the agent listener",
    text: "Address of the agent plane as hosts reach it.",
  },
  {
    key: "VECTORFLOW_DATABASE_URL",
    reader: "server",
    default: "the embedded PostgreSQL",
    text: "An external PostgreSQL 15 or later, as in `postgresql://user:password@host/database`.",
  },
  {
    key: "VECTORFLOW_DATABASE_POOL_SIZE",
    reader: "server",
    default: "`10`",
    text: "Connections of this server to the database.",
  },
  {
    key: "VECTORFLOW_SECRET",
    reader: "server",
    default: "generated with the embedded database",
    text: "At least 32 characters. Keys for everything encrypted at rest are derived from it: losing it loses them. Required with an external database.",
  },
  {
    key: "VECTORFLOW_SECRET_PREVIOUS",
    reader: "server",
    default: "",
    text: "The secret before, while it is replaced: what it encrypted is still read. See `node server/main.ts rotate-secret`.",
  },
  {
    key: "NEXTAUTH_SECRET",
    reader: "server",
    default: "",
    text: "Second name of `VECTORFLOW_SECRET`.",
  },
  {
    key: "VECTORFLOW_TLS_CERT",
    reader: "server",
    default: "plaintext",
    text: "Certificate chain in PEM for both listeners.",
  },
  {
    key: "VECTORFLOW_TLS_KEY",
    reader: "server",
    default: "plaintext",
    text: "Private key in PEM for both listeners.",
  },
  {
    key: "VECTORFLOW_TRUSTED_PROXIES",
    reader: "server",
    default: "none",
    text: "Networks of the proxies in front of the web listener, as in `10.0.0.0/8, fd00::/8`. Only what they write into `X-Forwarded-For` is believed.",
  },
  {
    key: "VECTORFLOW_SECRET_NETWORKS",
    reader: "server",
    default: "all but this host's own",
    text: "Networks in which backends of secrets (Vault, AWS) may be called, as in `10.0.0.0/8, 127.0.0.1`. Without it every address but those of this host and of cloud metadata may be.",
  },
  {
    key: "VECTORFLOW_SECRET_COMMANDS",
    reader: "server",
    default: "none",
    text: 'Commands on this host that environments may keep their secrets in, in JSON: `{"pass": ["/usr/local/bin/read-pass", "--json"]}`. Names are chosen in the environment; the program and its arguments only here.',
  },
  {
    key: "VECTORFLOW_VAULT_KUBERNETES_ADDRESSES",
    reader: "server",
    default: "none",
    text: "Addresses of Vault that may see this pod's service account token, as in `https://vault.example.com:8200`.",
  },
  {
    key: "VECTORFLOW_KUBERNETES_TOKEN_PATH",
    reader: "server",
    default: "`/var/run/secrets/kubernetes.io/serviceaccount/token`",
    text: "The service account token, read anew for each sign-in.",
  },
  {
    key: "VECTORFLOW_AWS_HOST_IDENTITY",
    reader: "server",
    default: "`false`",
    text: "Whether environments may read from AWS Secrets Manager with this server's own identity (instance profile, IRSA, environment).",
  },
  {
    key: "VECTORFLOW_HEARTBEAT_INTERVAL_MS",
    reader: "server",
    default: "`5000`",
    text: "Interval that agents are told while the fleet is small; it is stretched with the number of sessions.",
  },
  {
    key: "VECTORFLOW_LOCAL_AGENT",
    reader: "server",
    default: "`false`",
    text: "Set by `npm start`: after the first run, leave an enrollment token in the data directory for the agent on this machine.",
  },
  {
    key: "VECTORFLOW_LOG_LEVEL",
    reader: "server",
    default: "`info`",
    text: "`debug`, `info`, `warn` or `error`.",
  },
  {
    key: "VECTORFLOW_VECTOR_DOWNLOAD_URL",
    reader: "npm start",
    default: "the official releases",
    text: "Base address below which `npm start` finds the Vector releases.",
  },
  {
    key: "VECTORFLOW_AGENT_SERVER",
    reader: "agent",
    default: "",
    text: "Same as `--server`.",
  },
  {
    key: "VECTORFLOW_ENROLLMENT_TOKEN",
    reader: "agent",
    default: "",
    text: "Same as `--token`.",
  },
  {
    key: "VECTORFLOW_AGENT_DATA_DIR",
    reader: "agent",
    default: "",
    text: "Same as `--data-dir`.",
  },
] as const;

export type ConfigKey = (typeof configKeys)[number]["key"];
