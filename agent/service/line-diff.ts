/** A line that both have, that only the old text has, or only the new one. */
type Line = readonly [mark: " " | "-" | "+", text: string];

const contextLines = 2;

/** The longest common lines of two texts, with what differs between them. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  // lengths[i][j]: how many lines before[i…] and after[j…] have in common.
  const lengths = Array.from({ length: before.length + 1 }, () =>
    Array.from({ length: after.length + 1 }, () => 0),
  );
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const row = lengths[i] ?? [];
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      lines.push([" ", before[i] ?? ""]);
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(["-", before[i] ?? ""]);
      i++;
    } else {
      lines.push(["+", after[j] ?? ""]);
      j++;
    }
  }
  return lines;
}

/** What would change in a file of a few hundred lines, with two lines around each change; empty when nothing would. */
export function lineDiff(before: string, after: string): string {
  const split = (text: string): readonly string[] => text.replace(/\n$/, "").split("\n");
  const lines = compare(split(before), split(after));
  const near = (index: number): boolean =>
    lines
      .slice(Math.max(0, index - contextLines), index + contextLines + 1)
      .some(([mark]) => mark !== " ");
  return lines
    .flatMap(([mark, text], index) => {
      if (near(index)) return [`${mark} ${text}`];
      return index > 0 && near(index - 1) ? ["  …"] : [];
    })
    .join("\n");
}
