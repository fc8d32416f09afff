export interface OutlineComponent {
  readonly section: "sources" | "transforms" | "sinks";
  readonly key: string;
  /** Offset of the key in the text. */
  readonly from: number;
}

/** Finds components by indentation; good enough for text that is being typed and may be no YAML. */
export function findComponents(text: string): OutlineComponent[] {
  const found: OutlineComponent[] = [];
  let section: OutlineComponent["section"] | undefined;
  let indent: number | undefined;
  let offset = 0;
  for (const line of text.split("\n")) {
    const top = /^([\w-]+):/.exec(line);
    const nested = /^(\s+)["']?([\w.-]+)["']?:/.exec(line);
    if (top) {
      section = sectionOf(top[1] ?? "");
      indent = undefined;
    } else if (section !== undefined && nested) {
      const depth = nested[1]?.length ?? 0;
      indent ??= depth;
      if (depth === indent) found.push({ section, key: nested[2] ?? "", from: offset + depth });
    }
    offset += line.length + 1;
  }
  return found;
}

function sectionOf(name: string): OutlineComponent["section"] | undefined {
  return name === "sources" || name === "transforms" || name === "sinks" ? name : undefined;
}
