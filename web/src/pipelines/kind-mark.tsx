import type { JSX } from "solid-js";

import { ComponentKind } from "#gen/vectorflow/v1/pipeline_pb.ts";

/** The kind of a component by glyph and colour, with its name for screen readers. */
export function KindMark(props: { kind: ComponentKind }): JSX.Element {
  const mark = (): { name: string; glyph: string } => markOf(props.kind);
  return (
    <span class="kind-mark" data-kind={mark().name} title={mark().name}>
      <span aria-hidden="true">{mark().glyph}</span>
      <span class="visually-hidden">{mark().name}</span>
    </span>
  );
}

function markOf(kind: ComponentKind): { name: string; glyph: string } {
  switch (kind) {
    case ComponentKind.SOURCE:
      return { name: "source", glyph: "▷" };
    case ComponentKind.TRANSFORM:
      return { name: "transform", glyph: "◇" };
    case ComponentKind.SINK:
      return { name: "sink", glyph: "▣" };
    default:
      return { name: "component", glyph: "○" };
  }
}
