import { configKeys } from "../server/config-keys.ts";

const introduction = `# Configuration

Everything is configured by environment variables. An empty value counts as unset. Each key can also be given as
a file, with \`_FILE\` behind its name and an absolute path as its value, as orchestrators deliver secrets. All
problems are reported at once at start; unknown \`VECTORFLOW_*\` keys are warned about. The agent's keys and
flags are in [agent.md](agent.md).

| key | read by | default | meaning |
| --- | --- | --- | --- |
`;

/** docs/configuration.md, from the list that the server reads its keys by. */
export function renderConfigurationDocs(): string {
  const rows = configKeys.map(
    ({ key, reader, default: fallback, text }) =>
      `| \`${key}\` | ${reader} | ${fallback} | ${text} |\n`,
  );
  return introduction + rows.join("");
}
