import { membersOf, prettyJson } from "../inspection/json-text.ts";

/** A line of what became of an event. */
export interface DiffLine {
  readonly change: "same" | "removed" | "added";
  readonly text: string;
}

/** An event before and after, member by member: what was removed and added, and what stayed. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const old = membersOf(before);
  const now = membersOf(after);
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return names.flatMap((name): DiffLine[] => {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === is) return lines("same", name, is ?? "");
    return [
      ...(was === undefined ? [] : lines("removed", name, was)),
      ...(is === undefined ? [] : lines("added", name, is)),
    ];
  });
}

const marks = { same: "  ", removed: "- ", added: "+ " };

function lines(change: DiffLine["change"], name: string, json: string): DiffLine[] {
  return `${JSON.stringify(name)}: ${prettyJson(json)}`
    .split("\n")
    .map((text) => ({ change, text: `${marks[change]}${text}` }));
}
