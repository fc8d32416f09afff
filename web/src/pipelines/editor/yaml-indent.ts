const step = 2;

/**
 * The indentation of a line after this one: deeper after what opens a block, else the same. The
 * language's own rule does not open a map after its key.
 */
export function yamlIndent(line: string): number {
  const text = line.trimEnd();
  const indent = text.length - text.trimStart().length;
  if (text === "") return line.length;
  const opens = /(?::|:\s+[|>][+-]?)$/.test(text) && !/^\s*#/.test(text);
  if (!opens) return indent;
  // Below the key of a list's map, not below its dash.
  const dashes = /^\s*((?:-\s+)+)/.exec(text)?.[1]?.length ?? 0;
  return indent + dashes + step;
}
