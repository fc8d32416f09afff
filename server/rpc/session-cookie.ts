import { DomainError } from "../errors.ts";

const name = "vectorflow_session";
const maximumAgeSeconds = 30 * 24 * 3600;

/** The session token in a request's cookies. */
export function readSessionCookie(header: Headers): string | undefined {
  for (const part of (header.get("cookie") ?? "").split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name && value !== undefined && value !== "") return value;
  }
  return undefined;
}

/** The cookie for a new session. The server decides how long it lives; the browser keeps it longer. */
export function sessionCookie(token: string, secure: boolean): string {
  const flags = `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
  return `${name}=${token}; Max-Age=${maximumAgeSeconds}; ${flags}`;
}

/** The cookie that ends one. */
export function expiredCookie(secure: boolean): string {
  return `${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}

/**
 * Refuses calls that another site made a browser send. Reads by GET have no effects; everything else must come
 * from this origin, by the browser's own word, or from the configured address.
 */
export function refuseForeignOrigin(header: Headers, httpMethod: string, webAddress: string): void {
  if (httpMethod === "GET" || httpMethod === "HEAD") return;
  const site = header.get("sec-fetch-site");
  if (site === "same-origin") return;
  const origin = header.get("origin");
  if (site === null && origin !== null) {
    const host = URL.parse(origin)?.host;
    if (origin === webAddress || (host !== undefined && host === header.get("host"))) return;
  }
  throw new DomainError(
    "forbidden",
    "foreign_origin",
    "the call came from another site; programs send the session token as a bearer token instead of a cookie",
  );
}
