import { isIP } from "node:net";

/** Whether the address is this machine's own, where a session without TLS harms nobody. */
function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  if (isIP(bare) === 4) return bare.startsWith("127.");
  return bare === "::1" || bare === "localhost" || bare.endsWith(".localhost");
}

/**
 * The command that starts an agent on a host with a checkout of this release. Both values come from the
 * configuration and from our own random bits, so nothing in it needs quoting (X6). A server without TLS that other
 * machines reach needs the word of a person, who reads it here.
 */
export function enrollCommand(agentUrl: string, token: string): string {
  const url = URL.parse(agentUrl);
  const isExposed = url?.protocol === "http:" && !isLoopback(url.hostname);
  const plaintext = isExposed ? " --allow-plaintext" : "";
  return `node agent/main.ts run --server ${agentUrl} --token ${token}${plaintext}`;
}
