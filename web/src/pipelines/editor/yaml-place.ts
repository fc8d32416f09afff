import { findComponents, type OutlineComponent } from "./outline.ts";

/** A place in a component's text, by indentation: good enough for text that is being typed. */
export interface YamlPlace {
  readonly component: OutlineComponent;
  /** The component's type as it is written; empty while there is none. */
  readonly type: string;
  /** The option that the line names, as the catalogue writes paths; empty when it names none. */
  readonly path: string;
  /** What the option of the line is in; empty for the component itself. */
  readonly parent: string;
  /** Where the name of the option stands, or where one would. */
  readonly from: number;
  readonly to: number;
  /** Where its value starts; undefined before the colon. */
  readonly valueFrom: number | undefined;
}

const keyLine = /^(\s*(?:-\s+)*)(["']?)([\w*.-]+)\2\s*:(?=\s|$)/;

export function placeAt(text: string, position: number): YamlPlace | undefined {
  const components = findComponents(text);
  const index = components.findLastIndex(({ from }) => from <= position);
  const component = components[index];
  if (component === undefined) return undefined;
  const start = text.lastIndexOf("\n", position - 1) + 1;
  // The line of the component's own name.
  if (start <= component.from) return undefined;
  const newline = text.indexOf("\n", position);
  const line = text.slice(start, newline < 0 ? text.length : newline);
  const written = keyLine.exec(line);
  const lead = written?.[1] ?? /^\s*(?:-\s+)*/.exec(line)?.[0] ?? "";
  const body = text.slice(component.from, components[index + 1]?.from ?? text.length);
  const above = text.slice(component.from, start).split("\n").slice(0, -1).toReversed();
  const parent = parentOf(above, lead);
  if (parent === undefined) return undefined;
  const name = written?.[3] ?? "";
  const from = start + lead.length;
  return {
    component,
    type: typeIn(body),
    path: name === "" ? "" : parent === "" ? name : `${parent}.${name}`,
    parent,
    from,
    to: from + (name === "" ? line.length - lead.length : name.length),
    valueFrom: written === null ? undefined : start + written[0].length,
  };
}

/** The type of a component's body: that of the outermost options, which nested ones may precede. */
function typeIn(body: string): string {
  const lines = [...body.matchAll(/^(\s+)type:\s*["']?([\w-]+)/gm)];
  const outermost = lines.toSorted((a, b) => (a[1]?.length ?? 0) - (b[1]?.length ?? 0))[0];
  return outermost?.[2] ?? /[{,]\s*type:\s*["']?([\w-]+)/.exec(body)?.[1] ?? "";
}

/** The path of what a line with this lead is in; undefined where it is in the text of a block. */
function parentOf(above: readonly string[], lead: string): string | undefined {
  const path: string[] = [];
  let indent = lead.length;
  let inList = lead.includes("-");
  // The place of the dash decides what a list's item belongs to.
  if (inList) indent = lead.indexOf("-") + 1;
  // The last one is the component's own name, without its indentation.
  for (const line of above.slice(0, -1)) {
    const key = keyLine.exec(line);
    const own = key?.[1] ?? "";
    if (line.trim() === "" || /^\s*#/.test(line) || key === null) continue;
    const column = own.includes("-") && own.length === indent && !inList ? own.length : undefined;
    if (column !== undefined) {
      // A sibling on the line of the dash: the list is above it.
      indent = own.indexOf("-") + 1;
      inList = true;
      continue;
    }
    if (own.length >= indent && !(inList && own.length === indent - 1)) continue;
    if (/[|>][+-]?\s*$/.test(line)) return undefined;
    path.unshift(inList ? `${key[3]}[]` : (key[3] ?? ""));
    indent = own.includes("-") ? own.indexOf("-") + 1 : own.length;
    inList = own.includes("-");
  }
  return path.join(".");
}
