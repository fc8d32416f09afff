import { yaml } from "@codemirror/lang-yaml";
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { createEffect, onCleanup, type JSX } from "solid-js";

import { codeTheme } from "./code-theme.ts";

/** Below this width two columns are too narrow to read. */
const sideBySideWidth = 760;

/** Two texts and what differs: side by side, or one above the other where there is no room. */
export function DiffView(props: {
  before: string;
  after: string;
  beforeLabel: string;
  afterLabel: string;
}): JSX.Element {
  let parent: HTMLDivElement | undefined;
  createEffect(() => {
    if (parent === undefined) return;
    const view =
      parent.clientWidth > 0 && parent.clientWidth < sideBySideWidth
        ? unified(parent, props.before, props.after, props.afterLabel)
        : sideBySide(parent, props);
    onCleanup(() => view.destroy());
  });
  return (
    <div class="diff">
      <div class="diff-labels" aria-hidden="true">
        <span>{props.beforeLabel}</span>
        <span>{props.afterLabel}</span>
      </div>
      <div
        class="diff-body"
        ref={(node) => {
          parent = node;
        }}
      />
    </div>
  );
}

function readOnly(label: string): Extension {
  return [
    lineNumbers(),
    yaml(),
    codeTheme,
    EditorView.lineWrapping,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
  ];
}

const collapseUnchanged = { margin: 4, minSize: 8 };

function sideBySide(
  parent: HTMLElement,
  texts: { before: string; after: string; beforeLabel: string; afterLabel: string },
): { destroy(): void } {
  return new MergeView({
    parent,
    a: { doc: texts.before, extensions: readOnly(texts.beforeLabel) },
    b: { doc: texts.after, extensions: readOnly(texts.afterLabel) },
    collapseUnchanged,
    gutter: true,
    // Against nothing, everything is new; marking every word says no more.
    highlightChanges: texts.before !== "",
  });
}

function unified(parent: HTMLElement, before: string, after: string, label: string): EditorView {
  return new EditorView({
    parent,
    doc: after,
    extensions: [
      readOnly(label),
      unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged }),
    ],
  });
}
