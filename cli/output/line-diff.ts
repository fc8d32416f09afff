/** One line of a comparison. */
export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Texts that differ in more lines than this are shown as wholly replaced: the search grows with its square. */
const maximumEdits = 800;

/** The shortest way from one text to the other, line by line (Myers' algorithm). */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const a = linesOf(before);
  const b = linesOf(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (
    end < a.length - start &&
    end < b.length - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  ) {
    end += 1;
  }
  const lines = (kind: DiffLine["kind"], texts: readonly string[]): DiffLine[] =>
    texts.map((text) => ({ kind, text }));
  return [
    ...lines("same", a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...lines("same", a.slice(a.length - end)),
  ];
}

function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

function middle(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
  const trace = search(a, b);
  if (trace === undefined) {
    return [
      ...a.map((text) => ({ kind: "removed" as const, text })),
      ...b.map((text) => ({ kind: "added" as const, text })),
    ];
  }
  const found: DiffLine[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const reach = trace[edits] ?? new Map<number, number>();
    const k = x - y;
    const down = edits === 0 || goesDown(reach, k, edits);
    const fromK = down ? k + 1 : k - 1;
    const fromX = edits === 0 ? 0 : (reach.get(fromK) ?? 0);
    const fromY = edits === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      found.push({ kind: "same", text: a[x] ?? "" });
    }
    if (edits === 0) break;
    if (down) found.push({ kind: "added", text: b[fromY] ?? "" });
    else found.push({ kind: "removed", text: a[fromX] ?? "" });
    x = fromX;
    y = fromY;
  }
  return found.toReversed();
}

/** How far each diagonal gets with each number of edits, as it was before that number; undefined for too many. */
function search(
  a: readonly string[],
  b: readonly string[],
): readonly ReadonlyMap<number, number>[] | undefined {
  const reach = new Map<number, number>([[1, 0]]);
  const trace: ReadonlyMap<number, number>[] = [];
  for (let edits = 0; edits <= Math.min(a.length + b.length, maximumEdits); edits += 1) {
    trace.push(new Map([...reach].filter(([k]) => Math.abs(k) <= edits + 1)));
    for (let k = -edits; k <= edits; k += 2) {
      let x = goesDown(reach, k, edits) ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
      }
      reach.set(k, x);
      if (x >= a.length && y >= b.length) return trace;
    }
  }
  return undefined;
}

function goesDown(reach: ReadonlyMap<number, number>, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
}

/** As `diff -u` shows it, with three lines around each change; empty when nothing differs. */
export function formatDiff(
  lines: readonly DiffLine[],
  around = 3,
): readonly { readonly kind: DiffLine["kind"] | "place"; readonly text: string }[] {
  const near = new Set<number>();
  lines.forEach(({ kind }, index) => {
    if (kind === "same") return;
    for (let place = index - around; place <= index + around; place += 1) near.add(place);
  });
  const shown: { kind: DiffLine["kind"] | "place"; text: string }[] = [];
  let beforeLine = 1;
  let afterLine = 1;
  lines.forEach(({ kind, text }, index) => {
    if (near.has(index)) {
      if (!near.has(index - 1) || index === 0) {
        shown.push({ kind: "place", text: `@@ line ${beforeLine} → ${afterLine} @@` });
      }
      shown.push({ kind, text: `${kind === "same" ? " " : kind === "added" ? "+" : "-"}${text}` });
    }
    if (kind !== "added") beforeLine += 1;
    if (kind !== "removed") afterLine += 1;
  });
  return shown;
}
