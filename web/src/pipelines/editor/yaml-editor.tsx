import { createEffect, on, onCleanup, onMount, type JSX } from "solid-js";

import type { Component, Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { useApi } from "../../state/api.tsx";
import { createComponentForms } from "./component-forms.ts";
import { createYamlCodeMirror, type YamlCodeMirror } from "./yaml-code-mirror.ts";

/** A pipeline's text in an editor. Loaded lazily: CodeMirror is most of its size. */
export function YamlEditor(props: {
  text: string;
  readOnly?: boolean;
  label?: string;
  problems?: readonly Problem[];
  /** What is known of the text's components, for completion. */
  components?: readonly Component[];
  /** The environment whose versions of Vector decide what is proposed. */
  environmentId?: string;
  /** Where to put the cursor; a new object jumps again. */
  jump?: { readonly position: number } | undefined;
  /** A program to put in at the cursor; a new object puts it in again. */
  insertion?: { readonly code: string } | undefined;
  onChange?: (text: string) => void;
  /** Somebody wants another name for what is at this position. */
  onRename?: (position: number) => void;
}): JSX.Element {
  let parent: HTMLDivElement | undefined;
  let editor: YamlCodeMirror | undefined;
  const { transport } = useApi();
  onMount(() => {
    if (parent === undefined) return;
    editor = createYamlCodeMirror(parent, {
      label: props.label ?? "Pipeline YAML",
      text: props.text,
      readOnly: props.readOnly ?? false,
      onChange: (text) => props.onChange?.(text),
      components: () => props.components ?? [],
      forms: props.environmentId ? createComponentForms(transport, props.environmentId) : undefined,
      onRename: (position) => props.onRename?.(position),
    });
    editor.setProblems(props.problems ?? []);
    if (props.jump) editor.reveal(props.jump.position);
  });
  onCleanup(() => editor?.destroy());
  createEffect(
    on(
      () => props.text,
      (text) => editor?.setText(text),
      { defer: true },
    ),
  );
  createEffect(
    on(
      () => props.problems,
      (problems) => editor?.setProblems(problems ?? []),
      { defer: true },
    ),
  );
  createEffect(
    on(
      () => props.jump,
      (jump) => jump && editor?.reveal(jump.position),
      { defer: true },
    ),
  );
  createEffect(
    on(
      () => props.insertion,
      (insertion) => insertion && editor?.insertSnippet(insertion.code),
      { defer: true },
    ),
  );
  return (
    <div
      class="yaml-editor"
      ref={(node) => {
        parent = node;
      }}
    />
  );
}
