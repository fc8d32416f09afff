/** Where to go after signing in: only a path of this site, never another one. */
export function safeReturnPath(value: string | string[] | undefined): string {
  if (typeof value !== "string" || !/^\/(?![/\\])/.test(value)) return "/";
  return value.startsWith("/login") || value.startsWith("/setup") ? "/" : value;
}

export function loginPath(from: { readonly pathname: string; readonly search: string }): string {
  const here = `${from.pathname}${from.search}`;
  return here === "/" ? "/login" : `/login?return=${encodeURIComponent(here)}`;
}
