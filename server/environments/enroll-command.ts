/**
 * The command that starts an agent on a host with a checkout of this release. Both values come from the
 * configuration and from our own random bits, so nothing in it needs quoting (X6).
 */
export function enrollCommand(agentUrl: string, token: string): string {
  return `node agent/main.ts run --server ${agentUrl} --token ${token}`;
}
