import { posix } from "node:path";
import { holdsReference, laterText } from "./addresses.ts";

/** What only the host knows of its files. */
export interface HostFiles {
  readonly resolve?: ResolvePath;
  /** Where the certificates are that come with the pipeline: those may always be read. */
  readonly certificates?: string;
}

/** Where a path leads once symbolic links are followed, as far as it exists. */
export type ResolvePath = (path: string) => string;

function isInside(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const folder = root === "/" ? "" : root.replace(/\/+$/, "");
    return path === folder || path.startsWith(`${folder}/`);
  });
}

/** The part of a path before anything is filled in or matched: whole segments only. */
function literalPart(path: string): string {
  const cut = path.search(/\{\{|[%*?[{]/);
  return cut === -1 ? path : path.slice(0, path.lastIndexOf("/", cut));
}

/** A certificate that stands in the configuration itself, or one that comes with it. */
export function comesAlong(path: string, { certificates }: HostFiles): boolean {
  if (path.startsWith("-----BEGIN ") || /^CERT\[[^[\]\s]+\]$/.test(path)) return true;
  if (/^certs\/(?!\.)[\w.-]+$/.test(path)) return true;
  if (certificates === undefined || !path.startsWith(`${certificates}/`)) return false;
  return /^(?!\.)[\w.-]+$/.test(path.slice(certificates.length + 1));
}

/**
 * Why a path is outside its roots; undefined when it is inside. Templates and globs are judged by what is
 * before them.
 */
export function outside(
  path: string,
  roots: readonly string[],
  { resolve }: HostFiles,
): string | undefined {
  if (holdsReference(path)) return laterText;
  // oxlint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return "holds control characters";
  if (!path.startsWith("/")) return "is not an absolute path";
  if (path.split("/").includes("..")) return "goes up by ..";
  const literal = posix.normalize(literalPart(path) || "/").replace(/(?<=.)\/+$/, "");
  if (!isInside(literal, roots)) return `is outside ${listed(roots)}`;
  if (resolve === undefined) return undefined;
  const real = resolve(literal);
  if (isInside(real, roots.map(resolve))) return undefined;
  return `leads by a symbolic link to ${real}, which is outside ${listed(roots)}`;
}

function listed(roots: readonly string[]): string {
  return roots.length === 0 ? "what this host lets Vector use, which is no path" : roots.join(", ");
}
