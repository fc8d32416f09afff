import { createMemo, createSignal, lazy, Match, Show, Switch, type JSX } from "solid-js";

import type { Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";

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

const SnippetDrawer = lazy(async () => ({
  default: (await import("../library/snippet-drawer.tsx")).SnippetDrawer,
}));
const DiffView = lazy(async () => ({ default: (await import("./editor/diff-view.tsx")).DiffView }));

/** The draft as text, with what is wrong under the cursor and in a list. */
export function EditTab(): JSX.Element {
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const [moving, setMoving] = createSignal<Problem>();
  const [choosing, setChoosing] = createSignal(false);
  const [insertion, setInsertion] = createSignal<{ readonly code: string }>();
  const [jump, setJump] = createSignal<{ readonly position: number }>();
  // Places belong to the text that was checked; in a newer one they would point at the wrong words.
  const problems = createMemo((previous: readonly Problem[]): readonly Problem[] => {
    const checked = pipeline.preview.checked();
    if (checked === undefined) return [];
    return checked.text === pipeline.draft.text() ? checked.response.problems : previous;
  }, []);
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
            jump={jump()}
            insertion={insertion()}
            onChange={pipeline.draft.edit}
          />
          <footer class="editor-foot">
            <SaveState state={pipeline.draft.state()} />
            <span class="faint">Tab indents; Esc, then Tab leaves the editor</span>
            <Show when={environment.canEdit()}>
              <Button onClick={() => setChoosing(true)}>Snippets…</Button>
            </Show>
          </footer>
        </div>
        <ProblemsPanel
          preview={pipeline.preview}
          onJump={jumpTo}
          onFix={environment.canEdit() ? setMoving : undefined}
        />
      </div>
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
