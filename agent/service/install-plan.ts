import { compareVersions } from "../vector/executable.ts";
import { lineDiff } from "./line-diff.ts";

/** What a path shall hold. */
export interface WantedFile {
  readonly path: string;
  readonly mode: number;
  readonly content:
    | { readonly kind: "text"; readonly text: string; readonly isSecret: boolean }
    | { readonly kind: "executable"; readonly source: string; readonly version: string };
}

/** What a path holds now; undefined when nothing. */
export type PresentFile =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "executable"; readonly isSame: boolean; readonly version: string | undefined }
  | undefined;

export type Decision =
  | { readonly kind: "create" }
  | { readonly kind: "same" }
  /** With a copy of what was there. */
  | { readonly kind: "replace"; readonly why: string }
  | { readonly kind: "keep"; readonly why: string };

/**
 * What becomes of one file. What is there and differs stays unless a person says otherwise; only an older
 * executable of this agent gives way to a newer one (A16).
 */
export function decide(wanted: WantedFile, present: PresentFile, force: boolean): Decision {
  if (present === undefined) return { kind: "create" };
  const forced = (why: string): Decision => ({ kind: force ? "replace" : "keep", why });
  const { content } = wanted;
  if (content.kind === "text") {
    if (present.kind !== "text") return forced("it is no text");
    if (present.text === content.text) return { kind: "same" };
    const hide = content.isSecret ? withoutValues : (text: string): string => text;
    const diff = lineDiff(hide(present.text), hide(content.text));
    return forced(diff === "" ? "a value in it differs" : diff);
  }
  if (present.kind !== "executable") return forced("it is no executable of this agent");
  if (present.isSame) return { kind: "same" };
  if (present.version === undefined) return forced("it does not answer like this agent");
  const newer = compareVersions(content.version, present.version);
  const why = `version ${present.version} is there, this is ${content.version}`;
  return newer > 0 ? { kind: "replace", why } : forced(why);
}

/** An environment file as it may be shown: names, and values that are no secrets. */
export function withoutValues(text: string): string {
  return text.replaceAll(
    /^(\w*(?:TOKEN|PROXY|SECRET|PASSWORD)\w*)=.*$/gim,
    (_line, name: string) => `${name}="…"`,
  );
}
