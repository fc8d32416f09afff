import type { TLSSocket } from "node:tls";
import { openClient } from "../control/channel.ts";
import { TunnelError, nextHop, openTcp, openTunnel, startTls, trustOf } from "../control/dial.ts";
import { probe, type Credential, type ProbeAnswer } from "../control/probe.ts";
import { isExposed, type ServerAddress } from "../control/server-address.ts";
import { messageOf } from "../text.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";

const dayMs = 86_400_000;
const expirySoonMs = 21 * dayMs;
const clockWarningMs = 5_000;
const clockProblemMs = 300_000;

/** What stands between this host and a session, step by step; the first step that fails is the last one. */
export async function networkFindings(
  address: ServerAddress,
  credential: Credential,
  mayBePlaintext: boolean,
): Promise<readonly Finding[]> {
  return [
    encryptionFinding(address, mayBePlaintext),
    proxyFinding(address),
    ...(await connectionFindings(address)),
    ...(await sessionFindings(address, credential)),
  ];
}

function encryptionFinding(address: ServerAddress, mayBePlaintext: boolean): Finding {
  if (address.tls) return ok("encryption", `the session with ${address.target} uses TLS`);
  if (!isExposed(address)) return ok("encryption", "no TLS, and none needed on this machine");
  const text = `the session with ${address.target} is not encrypted`;
  const advice = "give the server a certificate (VECTORFLOW_TLS_CERT) and use https://";
  return mayBePlaintext
    ? warning("encryption", text, advice)
    : problem("encryption", text, `${advice}, or give --allow-plaintext`);
}

function proxyFinding({ proxy, tls }: ServerAddress): Finding {
  if (proxy === undefined) return ok("proxy", "none; the server is dialled directly");
  const signIn = proxy.authorization === undefined ? "without" : "with";
  return ok(
    "proxy",
    `${proxy.host}:${proxy.port} from ${tls ? "HTTPS_PROXY" : "HTTP_PROXY"}, ${signIn} sign-in`,
  );
}

async function connectionFindings(address: ServerAddress): Promise<readonly Finding[]> {
  const hop = nextHop(address);
  const place = `${hop.host}:${hop.port}`;
  const findings: Finding[] = [];
  let socket;
  try {
    socket = await openTcp(address);
    findings.push(ok("tcp", `${place} accepts connections`));
  } catch (error) {
    return [problem("tcp", `${place}: ${messageOf(error)}`, tcpAdvice(error, address))];
  }
  try {
    const trust = trustOf(address.ca);
    const way = await openTunnel(socket, address, () => trust);
    if (address.proxy !== undefined) {
      findings.push(ok("tunnel", `the proxy connects to ${address.target}`));
    }
    if (address.tls) findings.push(certificateFinding(await startTls(way, address.host, trust)));
  } catch (error) {
    const isTunnel = error instanceof TunnelError;
    findings.push(
      problem(
        isTunnel ? "tunnel" : "tls",
        messageOf(error),
        isTunnel ? tunnelAdvice : tlsAdvice(error),
      ),
    );
  } finally {
    socket.destroy();
  }
  return findings;
}

const tunnelAdvice =
  "correct HTTPS_PROXY or HTTP_PROXY, or name the server in NO_PROXY if it is reached directly";

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function tcpAdvice(error: unknown, { proxy }: ServerAddress): string {
  const what = proxy === undefined ? "the server" : "the proxy";
  switch (codeOf(error)) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the name of ${what} has no address: correct it, or this host's DNS`;
    case "ECONNREFUSED":
      return `nothing listens there: start ${what}, or correct the port`;
    default:
      return `look for a firewall or a route that is missing between this host and ${what}`;
  }
}

function tlsAdvice(error: unknown): string {
  switch (codeOf(error)) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return "the authority of the certificate is not trusted: give its PEM with --ca-file";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "use a name that is in the server's certificate, or have this one put into it";
    case "CERT_HAS_EXPIRED":
      return "renew the server's certificate, or correct this host's clock";
    case "CERT_NOT_YET_VALID":
      return "correct this host's clock";
    default:
      return "make sure that the server speaks TLS on this port; without TLS it is http://";
  }
}

function certificateFinding(socket: TLSSocket): Finding {
  const certificate = socket.getPeerCertificate();
  const expires = new Date(certificate.valid_to);
  const name = certificate.subjectaltname ?? `CN=${String(certificate.subject.CN)}`;
  const text = `trusted, ${name}, valid until ${expires.toISOString().slice(0, 10)}`;
  return expires.getTime() - Date.now() < expirySoonMs
    ? warning("tls", text, "renew the server's certificate")
    : ok("tls", text);
}

async function sessionFindings(
  address: ServerAddress,
  credential: Credential,
): Promise<readonly Finding[]> {
  const client = openClient(address);
  let answer: ProbeAnswer;
  try {
    answer = await probe(client, credential);
  } finally {
    client.close();
  }
  switch (answer.kind) {
    case "unreachable":
      return [
        problem(
          "grpc",
          `no answer: ${answer.details}`,
          "mend what failed above; if nothing did, let HTTP/2 through, or use https:// if the server has TLS",
        ),
      ];
    case "foreign":
      return [
        problem(
          "grpc",
          `something else than the agent plane answers: ${answer.details}`,
          "use the agents' address of the server, by default on port 8081",
        ),
      ];
    default:
      return [
        ok("grpc", `the agent plane answers in ${answer.roundTripMs.toFixed(0)} ms`),
        tokenFinding(answer, credential),
        clockFinding(answer.clockAheadMs),
      ];
  }
}

function tokenFinding({ kind, details }: ProbeAnswer, credential: Credential): Finding {
  if (credential.kind === "none") {
    return warning(
      "token",
      "this host is not enrolled, and no enrollment token was given",
      "enroll it with --token: Hosts, Add a host shows one",
    );
  }
  const what = credential.kind === "node" ? "this host's identity" : "the enrollment token";
  if (kind === "accepted") return ok("token", `the server accepts ${what}`);
  return problem(
    "token",
    `the server does not accept ${what}: ${details}`,
    credential.kind === "node"
      ? "enroll this host again with --force and a new token; its pipelines keep running meanwhile"
      : "copy the present token from Hosts, Add a host",
  );
}

/** A verdict on the difference of two clocks. */
export function clockFinding(aheadMs: number | undefined): Finding {
  if (aheadMs === undefined) {
    return warning("clock", "the server told no time", "compare the clocks by hand");
  }
  const seconds = Math.abs(aheadMs / 1000).toFixed(1);
  const text = `this host is ${seconds} s ${aheadMs > 0 ? "behind" : "ahead of"} the server`;
  const advice = "let NTP set the clocks of both: times in logs and metrics are compared";
  if (Math.abs(aheadMs) > clockProblemMs) return problem("clock", text, advice);
  if (Math.abs(aheadMs) > clockWarningMs) return warning("clock", text, advice);
  return ok("clock", "within a second or so of the server's");
}
