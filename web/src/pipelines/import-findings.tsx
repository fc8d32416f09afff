import { For, lazy, Show, type JSX } from "solid-js";

import type {
  ConfigurationNotice,
  ReadConfigurationResponse,
} from "#gen/vectorflow/v1/import_service_pb.ts";

import { plural } from "../lib/format.ts";
import { Notice } from "../ui/feedback.tsx";
import { KindMark } from "./kind-mark.tsx";
import { countErrors, sortProblems } from "./preview.ts";
import { ProblemLine } from "./problem-line.tsx";

const YamlEditor = lazy(async () => ({
  default: (await import("./editor/yaml-editor.tsx")).YamlEditor,
}));

/** What files have, what was done to them and what is wrong, before a draft is made of them. */
export function ImportFindings(props: { found: ReadConfigurationResponse }): JSX.Element {
  const errors = (): number => countErrors(props.found.problems);
  return (
    <>
      <Show when={props.found.fileProblems.length > 0}>
        <Notice tone="bad">
          <strong>This cannot be imported as it is.</strong>
          <Notes notes={props.found.fileProblems} />
        </Notice>
      </Show>
      <Show when={props.found.fileProblems.length === 0}>
        <h3>Found {plural(props.found.components.length, "component")}</h3>
        <ul class="review-list">
          <For
            each={props.found.components}
            fallback={<li class="muted">No source, transform or sink.</li>}
          >
            {(component) => (
              <li class="inline">
                <KindMark kind={component.kind} />
                <code>{component.key}</code>
                <span class="muted">
                  {component.type}
                  {component.inputs.length === 0 ? "" : ` reads ${component.inputs.join(", ")}`}
                </span>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Show when={props.found.notices.length > 0}>
        <Notice tone="info">
          <strong>What is different here</strong>
          <Notes notes={props.found.notices} />
        </Notice>
      </Show>
      <Show when={props.found.problems.length > 0}>
        <Notice tone={errors() > 0 ? "bad" : "warn"}>
          <strong>
            {errors() > 0
              ? "A draft can be made of it; these have to be settled before a deploy."
              : "It has warnings."}
          </strong>
          <ul class="problem-list">
            <For each={sortProblems(props.found.problems)}>
              {(problem) => (
                <li>
                  <ProblemLine problem={problem} />
                </li>
              )}
            </For>
          </ul>
        </Notice>
      </Show>
      <Show when={props.found.yaml !== ""}>
        <details>
          <summary>The text of the draft</summary>
          <div class="editor-frame" data-short="">
            <YamlEditor label="Imported YAML" text={props.found.yaml} readOnly />
          </div>
        </details>
      </Show>
    </>
  );
}

function Notes(props: { notes: readonly ConfigurationNotice[] }): JSX.Element {
  return (
    <ul class="problem-list">
      <For each={props.notes}>
        {(note) => (
          <li class="problem-line">
            <Show when={note.path}>
              <code>
                {note.path}
                {note.line > 0 ? `:${note.line}` : ""}
              </code>
            </Show>
            <Show when={!note.path && note.line > 0}>
              <span class="faint">line {note.line}</span>
            </Show>
            <span class="problem-message">{note.message}</span>
          </li>
        )}
      </For>
    </ul>
  );
}
