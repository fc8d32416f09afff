import { createMemo, createSignal, lazy, Match, Show, Switch, type JSX } from "solid-js";

import { applyEdits } from "#common/apply-edits.ts";
import type { Component, Problem, TextFix } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Notice } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import type { DraftState } from "./draft-session.ts";
import { YamlEditor } from "./editor/yaml-editor.tsx";
import { MoveToSecretDialog } from "./move-to-secret.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { ProblemsPanel } from "./problems-panel.tsx";
import { programPlaces, shownProblems } from "./vrl/shown-problems.ts";
import { startThread } from "./vrl/start-thread.ts";
import { createVrlChecks } from "./vrl/vrl-checks.ts";
import { RenamePartDialog } from "./rename-part-dialog.tsx";
import { renameTargets, targetAt, type RenameTarget } from "./rename-targets.ts";

const AddComponentDialog = lazy(async () => ({
  default: (await import("./add-component-dialog.tsx")).AddComponentDialog,
}));
const SnippetDrawer = lazy(async () => ({
  default: (await import("../library/snippet-drawer.tsx")).SnippetDrawer,
}));
const DiffView = lazy(async () => ({ default: (await import("./editor/diff-view.tsx")).DiffView }));

/** The draft as text, with what is wrong under the cursor and in a list. */
export function EditTab(): JSX.Element {
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const { clock } = useApi();
  const [moving, setMoving] = createSignal<Problem>();
  const [choosing, setChoosing] = createSignal(false);
  const [adding, setAdding] = createSignal(false);
  const [insertion, setInsertion] = createSignal<{ readonly code: string }>();
  const [jump, setJump] = createSignal<{ readonly position: number }>();
  const places = createMemo(() => programPlaces(pipeline.preview.checked()?.response.programs));
  const compiled = createVrlChecks(pipeline.draft.text, places, { clock, start: startThread });
  // Until the newest text was looked at, marks stay where they are.
  const problems = createMemo(
    (previous: readonly Problem[]): readonly Problem[] =>
      shownProblems(pipeline.draft.text(), pipeline.preview.checked(), compiled()) ?? previous,
    [],
  );
  // What was known of the last text that could be read stays while one types.
  const components = createMemo((previous: readonly Component[]): readonly Component[] => {
    const known = pipeline.preview.checked()?.response.components ?? [];
    return known.length === 0 ? previous : known;
  }, []);
  const [renaming, setRenaming] = createSignal<RenameTarget>();
  const targets = (): RenameTarget[] =>
    renameTargets(pipeline.preview.checked()?.response.components ?? []);
  const rename = (position: number): void => {
    setRenaming(targetAt(pipeline.draft.text(), position, targets()) ?? targets()[0]);
  };
  const isChecked = (): boolean => pipeline.preview.checked()?.text === pipeline.draft.text();
  const apply = (fix: TextFix): void => {
    if (isChecked()) pipeline.draft.edit(applyEdits(pipeline.draft.text(), fix.edits));
  };
  const jumpTo = (problem: Problem): void => {
    const position =
      problem.to > 0 ? problem.from : lineStart(pipeline.draft.text(), Math.max(1, problem.line));
    setJump({ position });
  };
  return (
    <>
      <ConflictNotice />
      <div class="editor-layout">
        <div class="editor-frame">
          <YamlEditor
            text={pipeline.draft.text()}
            readOnly={!environment.canEdit()}
            problems={problems()}
            components={components()}
            environmentId={environment.id()}
            jump={jump()}
            insertion={insertion()}
            onChange={pipeline.draft.edit}
            onRename={rename}
          />
          <footer class="editor-foot">
            <SaveState state={pipeline.draft.state()} />
            <span class="faint">Tab indents; Esc, then Tab leaves the editor</span>
            <Show when={environment.canEdit() && targets().length > 0}>
              <Button onClick={() => setRenaming(targets()[0])}>Rename a component… (F2)</Button>
            </Show>
            <Show when={environment.canEdit()}>
              <Button onClick={() => setAdding(true)}>Add a component…</Button>
              <Button onClick={() => setChoosing(true)}>Snippets…</Button>
            </Show>
          </footer>
        </div>
        <ProblemsPanel
          preview={pipeline.preview}
          onJump={jumpTo}
          onFix={environment.canEdit() ? setMoving : undefined}
          onTextFix={environment.canEdit() && isChecked() ? apply : undefined}
        />
      </div>
      <RenamePartDialog target={renaming()} onClose={() => setRenaming(undefined)} />
      <Show when={adding()}>
        <AddComponentDialog onClose={() => setAdding(false)} />
      </Show>
      <Show when={choosing()}>
        <SnippetDrawer
          onInsert={(code) => {
            setChoosing(false);
            setInsertion({ code });
          }}
          onClose={() => setChoosing(false)}
        />
      </Show>
      <MoveToSecretDialog problem={moving()} onClose={() => setMoving(undefined)} />
    </>
  );
}

function SaveState(props: { state: DraftState }): JSX.Element {
  const live = useLive();
  const { draft } = usePipeline();
  const savedAt = (): number | undefined =>
    props.state.kind === "saved" ? props.state.at : undefined;
  const failure = (): string | undefined =>
    props.state.kind === "failed" ? props.state.error.message : undefined;
  return (
    <span class="save-state">
      <Switch fallback={<span class="muted">Unsaved changes…</span>}>
        <Match when={props.state.kind === "saved"}>
          <span class="muted">
            Draft saved <Show when={savedAt()}>{(at) => <Ago ms={at()} now={live.now()} />}</Show>
          </span>
        </Match>
        <Match when={props.state.kind === "saving"}>
          <span class="muted">Saving…</span>
        </Match>
        <Match when={props.state.kind === "conflict"}>
          <StateMark tone="warn">Not saved: somebody else changed it</StateMark>
        </Match>
        <Match when={failure()}>
          {(message) => (
            <>
              <StateMark tone="warn">Not saved</StateMark>
              <span class="muted">{message()}</span>
              <Button onClick={() => void draft.flush()}>Save again</Button>
            </>
          )}
        </Match>
      </Switch>
    </span>
  );
}

function ConflictNotice(): JSX.Element {
  const { draft } = usePipeline();
  const [comparing, setComparing] = createSignal(false);
  const theirs = (): Extract<DraftState, { kind: "conflict" }>["theirs"] | undefined => {
    const state = draft.state();
    return state.kind === "conflict" ? state.theirs : undefined;
  };
  const settle = (action: () => unknown): void => {
    setComparing(false);
    action();
  };
  return (
    <Show when={theirs()}>
      {(draftOfTheirs) => (
        <>
          <Notice
            tone="warn"
            actions={
              <>
                <Button onClick={() => setComparing(true)}>Compare</Button>
                <Button onClick={() => settle(draft.takeTheirs)}>Show theirs</Button>
                <Button onClick={() => settle(draft.overwrite)}>Overwrite</Button>
              </>
            }
          >
            <strong>{draftOfTheirs().updatedBy || "Somebody else"}</strong> saved this draft while
            you were writing. Your text is not saved.
          </Notice>
          <Dialog
            sheet
            open={comparing()}
            onOpenChange={setComparing}
            title="Two versions of the draft"
            footer={
              <>
                <Button onClick={() => settle(draft.takeTheirs)}>Show theirs</Button>
                <Button variant="primary" onClick={() => settle(draft.overwrite)}>
                  Overwrite with mine
                </Button>
              </>
            }
          >
            <DiffView
              before={draftOfTheirs().yaml}
              after={draft.text()}
              beforeLabel="Theirs"
              afterLabel="Mine"
            />
          </Dialog>
        </>
      )}
    </Show>
  );
}

function lineStart(text: string, line: number): number {
  let position = 0;
  for (let current = 1; current < line; current++) {
    const next = text.indexOf("\n", position);
    if (next === -1) return text.length;
    position = next + 1;
  }
  return position;
}
