import { isAlias, isScalar, parseDocument, type Document } from "yaml";
import { kinds } from "../catalogue.ts";

export type Replaced =
  | { readonly kind: "replaced"; readonly text: string; readonly value: string }
  | { readonly kind: "impossible"; readonly message: string };

/**
 * Replaces part of one value in the text of a configuration and leaves every other byte as it is. The value is
 * written in double quotes then. `from` and `to` count in the value, not in the text. Pure.
 */
export function replaceValue(
  text: string,
  place: {
    readonly componentKey: string;
    readonly path: readonly (string | number)[];
    readonly from: number;
    readonly to: number;
  },
  replacement: string,
): Replaced {
  const document = parseDocument(text, { merge: true });
  const section = kinds.find((kind) => document.hasIn([`${kind}s`, place.componentKey]));
  const path = [`${section}s`, place.componentKey, ...place.path];
  const node = section === undefined ? undefined : document.getIn(path, true);
  if (isAlias(node)) {
    return impossible(
      "the value is written elsewhere and only repeated here (*alias): change it there",
    );
  }
  if (!isScalar(node) || node.range == null) {
    return impossible("the value is not written at this place: it may come in by a merge (<<)");
  }
  const whole = typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
  const value = whole.slice(place.from, place.to);
  const written = `${whole.slice(0, place.from)}${replacement}${whole.slice(place.to)}`;
  const [start, end] = node.range;
  const slice = text.slice(start, end);
  // A block text ends with its line, which is not part of what is replaced.
  const tail = slice.endsWith("\n") ? "\n" : "";
  const changed = `${text.slice(0, start)}${JSON.stringify(written)}${tail}${text.slice(end)}`;
  if (!onlyChangedThere(document, changed, path, written)) {
    return impossible(
      "the value is written in a way that cannot be replaced safely: edit it by hand",
    );
  }
  return { kind: "replaced", text: changed, value };
}

/** Reads the new text again: everything must be as before but the one value. */
function onlyChangedThere(
  before: Document,
  text: string,
  path: readonly (string | number)[],
  written: string,
): boolean {
  const after = parseDocument(text, { merge: true });
  if (after.errors.length > 0) return false;
  const read = after.getIn(path, true);
  if (!isScalar(read) || read.value !== written) return false;
  const restored = before.clone();
  restored.setIn(path, written);
  return JSON.stringify(restored.toJS()) === JSON.stringify(after.toJS());
}

function impossible(message: string): Replaced {
  return { kind: "impossible", message };
}
