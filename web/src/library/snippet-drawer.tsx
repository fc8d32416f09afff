import { createMemo, createSignal, For, Show, type JSX } from "solid-js";

import type { Snippet } from "#gen/vectorflow/v1/snippet_pb.ts";
import { SnippetService } from "#gen/vectorflow/v1/snippet_service_pb.ts";

import { useReadAll } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useClient } from "../state/use-client.ts";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog, Dialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { Select } from "../ui/field.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { SnippetForm } from "./snippet-form.tsx";

import "../secrets/secrets.css";
import "./library.css";

/** Pieces of VRL, to be put into the text at the cursor. */
export function SnippetDrawer(props: {
  onInsert: (code: string) => void;
  onClose: () => void;
}): JSX.Element {
  return (
    <Dialog
      sheet
      open
      onOpenChange={(open) => !open && props.onClose()}
      title="Snippets"
      description="Pieces of VRL. One goes to the cursor, with the indentation of its place."
    >
      <Snippets onInsert={props.onInsert} />
    </Dialog>
  );
}

function Snippets(props: { onInsert: (code: string) => void }): JSX.Element {
  const environment = useEnvironment();
  const teamId = (): string => environment.environment()?.teamId ?? "";
  const read = useReadAll(SnippetService.method.listSnippets, () => ({ teamId: teamId() }), {
    staleTime: 0,
  });
  const [text, setText] = createSignal("");
  const [category, setCategory] = createSignal("");
  /** The id of the one that is edited; empty for a new one. */
  const [editing, setEditing] = createSignal<string>();
  const categories = createMemo(() =>
    [...new Set((read.data()?.snippets ?? []).map((snippet) => snippet.category))]
      .filter((name) => name !== "")
      .toSorted(),
  );
  const shown = (snippets: readonly Snippet[]): readonly Snippet[] => {
    const words = text().toLowerCase().split(/\s+/);
    return snippets.filter((snippet) => {
      const all = `${snippet.name} ${snippet.description} ${snippet.code}`.toLowerCase();
      const fits = category() === "" || snippet.category === category();
      return fits && words.every((word) => all.includes(word));
    });
  };
  const done = (message: string): void => {
    setEditing(undefined);
    showToast(message);
    read.refetch();
  };
  return (
    <>
      <div class="snippet-filter">
        <input
          type="search"
          class="input filter-text"
          aria-label="Filter snippets"
          placeholder="Filter by words"
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <Select
          label="Filter by category"
          value={category()}
          options={[
            { value: "", label: "All categories" },
            ...categories().map((name) => ({ value: name, label: name })),
          ]}
          onValue={setCategory}
        />
        <Show when={environment.canEdit()}>
          <Button onClick={() => setEditing("")}>New snippet</Button>
        </Show>
      </div>
      <Show when={editing() === ""}>
        <SnippetForm teamId={teamId()} onCancel={() => setEditing()} onDone={done} />
      </Show>
      <QueryView read={read} skeletonRows={8}>
        {(answer) => (
          <Show
            when={shown(answer().snippets).length > 0}
            fallback={<EmptyState title="No snippet matches" />}
          >
            <ul class="snippet-list" aria-label="Snippets">
              <For each={shown(answer().snippets)}>
                {(snippet) => (
                  <Show
                    when={editing() !== snippet.id}
                    fallback={
                      <li>
                        <SnippetForm
                          teamId={teamId()}
                          snippet={snippet}
                          onCancel={() => setEditing()}
                          onDone={done}
                        />
                      </li>
                    }
                  >
                    <SnippetItem
                      snippet={snippet}
                      teamId={teamId()}
                      onInsert={props.onInsert}
                      onEdit={() => setEditing(snippet.id)}
                      onDone={done}
                    />
                  </Show>
                )}
              </For>
            </ul>
          </Show>
        )}
      </QueryView>
    </>
  );
}

function SnippetItem(props: {
  snippet: Snippet;
  teamId: string;
  onInsert: (code: string) => void;
  onEdit: () => void;
  onDone: (message: string) => void;
}): JSX.Element {
  const snippets = useClient(SnippetService);
  const environment = useEnvironment();
  const action = createAction();
  const [deleting, setDeleting] = createSignal(false);
  const name = (): string => props.snippet.name;
  const remove = async (): Promise<void> => {
    const request = { teamId: props.teamId, id: props.snippet.id };
    if (await action.run(() => snippets.deleteSnippet(request))) {
      props.onDone(`The snippet ${name()} was deleted`);
    }
  };
  return (
    <li>
      <div class="snippet-head">
        <div>
          <strong>{name()}</strong>
          <p class="field-note">
            {[props.snippet.category, props.snippet.condition ? "condition" : ""]
              .filter((part) => part !== "")
              .join(" · ")}
          </p>
        </div>
        <Show when={environment.canEdit()}>
          <div class="row-buttons">
            <Show when={!props.snippet.builtIn}>
              <Button aria-label={`Edit ${name()}`} onClick={() => props.onEdit()}>
                Edit
              </Button>
              <Button aria-label={`Delete ${name()}`} onClick={() => setDeleting(true)}>
                Delete
              </Button>
            </Show>
            <Button
              variant="primary"
              aria-label={`Insert ${name()}`}
              onClick={() => props.onInsert(props.snippet.code)}
            >
              Insert
            </Button>
          </div>
        </Show>
      </div>
      <p class="muted">{props.snippet.description}</p>
      <pre class="snippet-code" tabIndex={0} aria-label={`Code of ${name()}`}>
        {props.snippet.code}
      </pre>
      <Show when={props.snippet.exampleEvent}>
        <details>
          <summary>Example</summary>
          <pre class="snippet-code">{props.snippet.exampleEvent}</pre>
          <p class="field-note">becomes</p>
          <pre class="snippet-code">{props.snippet.exampleResult}</pre>
        </details>
      </Show>
      <ConfirmDialog
        open={deleting()}
        onOpenChange={setDeleting}
        title={`Delete the snippet ${name()}?`}
        confirmLabel="Delete snippet"
        busy={action.busy()}
        error={action.error()}
        onConfirm={() => void remove()}
      >
        <p>Pipelines that it was inserted into stay as they are.</p>
      </ConfirmDialog>
    </li>
  );
}
