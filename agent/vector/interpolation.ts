import { compareVersions } from "./executable.ts";

/**
 * What keeps a Vector of this version from replacing `$NAME` in its configuration: the same text means
 * the same on every version. Off by itself from 0.57 on, by a flag from 0.52 on, by doubling before.
 */
export function withoutInterpolation(version: string): {
  readonly args: readonly string[];
  escape(text: string): string;
} {
  const asWritten = (text: string): string => text;
  if (compareVersions(version, "0.57.0") >= 0) return { args: [], escape: asWritten };
  if (compareVersions(version, "0.52.0") >= 0) {
    return { args: ["--disable-env-var-interpolation"], escape: asWritten };
  }
  return { args: [], escape: (text) => text.replaceAll("$", "$$$$") };
}
