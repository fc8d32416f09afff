import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentService,
  indentUnit,
} from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";

import { Severity, type Component, type Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { insertSnippet } from "../../library/insert-snippet.ts";
import { codeTheme } from "./code-theme.ts";
import { completePipeline } from "./completion.ts";
import type { ComponentForms } from "./component-forms.ts";
import { completeOptions, hoverOptions } from "./options.ts";
import { completeFields } from "./fields.ts";
import { yamlIndent } from "./yaml-indent.ts";

export interface YamlCodeMirror {
  /** Replaces the text unless it is there already; undo takes it back. */
  setText(text: string): void;
  setProblems(problems: readonly Problem[]): void;
  /** Puts the cursor there and shows it. */
  reveal(position: number): void;
  /** Puts a program in at the cursor, with the indentation of its place. */
  insertSnippet(code: string): void;
  destroy(): void;
}

/** A CodeMirror for a pipeline's text. Tab indents; Escape and then Tab leaves it. */
export function createYamlCodeMirror(
  parent: HTMLElement,
  options: {
    readonly label: string;
    readonly text: string;
    readonly readOnly: boolean;
    readonly onChange: (text: string) => void;
    readonly onRename: (position: number) => void;
    /** What is known of the text's components, for completion. */
    readonly components: () => readonly Component[];
    /** What is known of types and options; without it nothing is proposed. */
    readonly forms: ComponentForms | undefined;
  },
): YamlCodeMirror {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        foldGutter(),
        lintGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        closeBrackets(),
        highlightSelectionMatches(),
        autocompletion({
          override: [
            completePipeline(options.components),
            completeFields(options.components),
            ...(options.forms === undefined ? [] : [completeOptions(options.forms)]),
          ],
        }),
        options.forms === undefined ? [] : hoverOptions(options.forms),
        indentService.of((context, position) => yamlIndent(context.lineAt(position, -1).text)),
        yaml(),
        codeTheme,
        EditorState.readOnly.of(options.readOnly),
        EditorView.contentAttributes.of({ "aria-label": options.label, tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
        }),
        keymap.of([
          {
            key: "F2",
            run({ state }) {
              if (!options.readOnly) options.onRename(state.selection.main.head);
              return !options.readOnly;
            },
          },
          ...completionKeymap,
          ...lintKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
      ],
    }),
  });
  return {
    setText(text) {
      const change = changeBetween(view.state.doc.toString(), text);
      if (change !== undefined) view.dispatch({ changes: change });
    },
    setProblems(problems) {
      const diagnostics = problems.map((problem) =>
        toDiagnostic(problem, view.state, options.readOnly),
      );
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    reveal(position) {
      const anchor = Math.min(position, view.state.doc.length);
      view.dispatch({
        selection: { anchor },
        effects: EditorView.scrollIntoView(anchor, { y: "center" }),
      });
      view.focus();
    },
    insertSnippet(code) {
      const { head } = view.state.selection.main;
      const { cursor, ...changes } = insertSnippet(view.state.doc.toString(), head, code);
      view.dispatch({
        changes,
        selection: { anchor: cursor },
        effects: EditorView.scrollIntoView(cursor, { y: "center" }),
        userEvent: "input.paste",
      });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

/** A problem without a place is shown on its line, or on the first one. */
function toDiagnostic(problem: Problem, state: EditorState, readOnly: boolean): Diagnostic {
  const checked = state.doc;
  const fixes = readOnly ? [] : problem.textFixes;
  const { from, to } = problemRange(problem, state);
  return {
    from,
    to,
    severity: problem.severity === Severity.ERROR ? "error" : "warning",
    message: problem.message,
    ...(problem.componentKey !== "" && { source: problem.componentKey }),
    actions: fixes.map(({ title, edits }) => ({
      name: title,
      // The places are those of the text that was checked.
      apply: (view) => view.state.doc.eq(checked) && view.dispatch({ changes: edits }),
    })),
  };
}

/** The part that differs, so that the cursor and the view stay where they are. */
function changeBetween(
  before: string,
  after: string,
): { from: number; to: number; insert: string } | undefined {
  if (before === after) return undefined;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return {
    from: start,
    to: before.length - end,
    insert: after.slice(start, after.length - end),
  };
}

function problemRange(problem: Problem, state: EditorState): { from: number; to: number } {
  const { length } = state.doc;
  if (problem.to > problem.from) {
    return { from: Math.min(problem.from, length), to: Math.min(problem.to, length) };
  }
  const number = Math.min(Math.max(problem.line, 1), state.doc.lines);
  const { from, to } = state.doc.line(number);
  return { from, to };
}
