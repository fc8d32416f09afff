import { lstat, open, readlink } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { parsePolicy, type HostPolicy } from "#common/policy/policy.ts";
import { readDocument } from "#common/yaml-document.ts";
import { messageOf } from "../text.ts";

export type PolicyFile =
  | { readonly kind: "read"; readonly policy: HostPolicy; readonly fingerprint: string }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

const maximumBytes = 64 * 1024;
const maximumLinks = 40;
const writableByOthers = 0o022;
const sticky = 0o1000;

interface Trust {
  /** Besides root: who may own the file and its folders. Only tests name somebody. */
  readonly alsoTrusted?: number | undefined;
}

/**
 * Reads a policy that nobody but root can have written: the file, every folder that leads to it and every
 * symbolic link on the way belong to root, and are not writable by others. Finds all problems at once.
 */
export async function readPolicyFile(path: string, trust: Trust = {}): Promise<PolicyFile> {
  const problems: string[] = [];
  try {
    const real = await judgeWay(resolve(path), trust, problems);
    if (problems.length > 0) return { kind: "refused", problems };
    await using file = await open(real, "r");
    const { size } = await file.stat();
    if (size > maximumBytes) {
      return { kind: "refused", problems: [`${path} is larger than ${maximumBytes / 1024} KiB`] };
    }
    return parse(path, await file.readFile("utf8"));
  } catch (error) {
    return { kind: "refused", problems: [`${path} cannot be read: ${messageOf(error)}`] };
  }
}

function parse(path: string, text: string): PolicyFile {
  const read = readDocument(text);
  if (read.kind === "unreadable") {
    return { kind: "refused", problems: read.problems.map((problem) => `${path}: ${problem}`) };
  }
  // As JSON would give it: the version is a number and no bigint.
  const value: unknown = JSON.parse(
    JSON.stringify(read.document.toJS(), (_key, item: unknown) =>
      typeof item === "bigint" ? Number(item) : item,
    ) ?? "null",
  );
  const { policy, problems } = parsePolicy(value);
  if (policy === undefined) {
    return { kind: "refused", problems: problems.map((problem) => `${path}: ${problem}`) };
  }
  const fingerprint = JSON.stringify(policy);
  if (fingerprint.length > maximumBytes) {
    return { kind: "refused", problems: [`${path} is larger than ${maximumBytes / 1024} KiB`] };
  }
  return { kind: "read", policy, fingerprint };
}

/** Follows a path from the root down, with its links; returns where it leads. */
async function judgeWay(path: string, trust: Trust, problems: string[]): Promise<string> {
  let left = path.split(sep).filter((part) => part !== "");
  let links = 0;
  let at: string = sep;
  await judgeOne(at, trust, left.length > 0, problems);
  while (left.length > 0) {
    const [name = "", ...rest] = left;
    left = rest;
    const next = join(at, name);
    const isLink = await judgeOne(next, trust, left.length > 0, problems);
    if (!isLink) {
      at = next;
      continue;
    }
    if (++links > maximumLinks) throw new Error("too many symbolic links");
    const target = resolve(dirname(next), await readlink(next));
    left = [...target.split(sep).filter((part) => part !== ""), ...left];
    at = sep;
  }
  return at;
}

async function judgeOne(
  path: string,
  { alsoTrusted }: Trust,
  isFolder: boolean,
  problems: string[],
): Promise<boolean> {
  const stats = await lstat(path);
  const add = (problem: string): void => {
    if (!problems.includes(problem)) problems.push(problem);
  };
  if (stats.uid !== 0 && stats.uid !== alsoTrusted) {
    add(`${path} belongs to user ${stats.uid}: the policy and all that leads to it must be root's`);
  }
  if (stats.isSymbolicLink()) return true;
  // Nobody can replace another's entry in a sticky folder.
  const isSafe = isFolder && (stats.mode & sticky) !== 0;
  if ((stats.mode & writableByOthers) !== 0 && !isSafe) {
    add(`${path} is writable by its group or by others: take that away with chmod go-w`);
  }
  if (!isFolder && !stats.isFile()) add(`${path} is no file`);
  return false;
}
