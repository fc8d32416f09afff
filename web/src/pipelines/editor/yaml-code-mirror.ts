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

import { Severity, type Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { insertSnippet } from "../../library/insert-snippet.ts";
import { codeTheme } from "./code-theme.ts";
import { completePipeline } from "./completion.ts";
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
        autocompletion({ override: [completePipeline] }),
        indentService.of((context, position) => yamlIndent(context.lineAt(position, -1).text)),
        yaml(),
        codeTheme,
        EditorState.readOnly.of(options.readOnly),
        EditorView.contentAttributes.of({ "aria-label": options.label, tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
        }),
        keymap.of([
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
      if (view.state.doc.toString() === text) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    setProblems(problems) {
      const diagnostics = problems.map((problem) => toDiagnostic(problem, view.state));
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
function toDiagnostic(problem: Problem, state: EditorState): Diagnostic {
  const { from, to } = problemRange(problem, state);
  return {
    from,
    to,
    severity: problem.severity === Severity.ERROR ? "error" : "warning",
    message: problem.message,
    ...(problem.componentKey !== "" && { source: problem.componentKey }),
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
