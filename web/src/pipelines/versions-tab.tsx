import { useSearchParams } from "@solidjs/router";
import { createEffect, createSignal, For, on, Show, type JSX } from "solid-js";

import { PipelineState, type PipelineVersion } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { toUiError } from "../api/errors.ts";
import { millisOf } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { EmptyState, Notice } from "../ui/feedback.tsx";
import { Badge } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { createPages, Pager } from "../ui/pager.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { VersionSheet } from "./version-sheet.tsx";

import "../ui/plain-table.css";

const pageSize = 50;

/** What was deployed, when, by whom and why; to look at, compare and bring back. */
export function VersionsTab(): JSX.Element {
  const pipeline = usePipeline();
  const [params] = useSearchParams();
  const pages = createPages();
  const [rollback, setRollback] = createSignal<number>();
  const read = useRead(
    PipelineService.method.listVersions,
    () => ({ pipelineId: pipeline.id, pageSize, pageToken: pages.token() }),
    { keepPrevious: true },
  );
  return (
    <Section title="Versions" flush>
      <QueryView read={read}>
        {(answer) => (
          <Show
            when={answer().versions.length > 0}
            fallback={<EmptyState title="No versions yet">Every deploy makes one.</EmptyState>}
          >
            <VersionTable versions={answer().versions} onRollback={setRollback} />
            <Pager pages={pages} nextPageToken={answer().nextPageToken} loading={read.fetching()} />
          </Show>
        )}
      </QueryView>
      <RollbackDialog version={rollback()} onClose={() => setRollback(undefined)} />
      <Show when={params["version"]}>
        <VersionSheet
          version={Number(params["version"])}
          onRollback={(version) => setRollback(version)}
        />
      </Show>
    </Section>
  );
}

function VersionTable(props: {
  versions: readonly PipelineVersion[];
  onRollback: (version: number) => void;
}): JSX.Element {
  const environment = useEnvironment();
  const live = useLive();
  const [, setParams] = useSearchParams();
  return (
    <div class="plain-table-scroll">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Reason</th>
            <th scope="col">Deployed</th>
            <th scope="col">By</th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <For each={props.versions}>
            {(version) => (
              <tr>
                <th scope="row">
                  v{version.version}{" "}
                  <Show when={version.current}>
                    <Badge tone="ok">current</Badge>
                  </Show>
                  <Show when={version.paused}>
                    <Badge tone="warn">paused</Badge>
                  </Show>
                </th>
                <td>{version.changelog || <span class="faint">none given</span>}</td>
                <td>
                  <Ago ms={millisOf(version.createTime)} now={live.now()} />
                </td>
                <td>{version.createdBy}</td>
                <td>
                  <span class="row-actions">
                    <Button
                      onClick={() =>
                        setParams({ version: String(version.version) }, { scroll: false })
                      }
                    >
                      View v{version.version}
                    </Button>
                    <Show when={environment.canEdit() && !version.current}>
                      <Button onClick={() => props.onRollback(version.version)}>Roll back</Button>
                    </Show>
                  </span>
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

/** Publishes an old version again, and goes to where its progress shows. */
function RollbackDialog(props: { version: number | undefined; onClose: () => void }): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const [, setParams] = useSearchParams();
  const [reason, setReason] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  const paused = (): boolean => pipeline.live().summary?.state === PipelineState.PAUSED;
  /** The revision of the draft when this was opened; undefined when what is typed cannot be saved. */
  let reviewed: Promise<string | undefined> = Promise.resolve(undefined);
  const review = async (): Promise<string | undefined> =>
    (await pipeline.draft.flush()) ? pipeline.draft.revision() : undefined;
  createEffect(
    on(
      () => props.version,
      (version) => {
        setReason("");
        setError(undefined);
        if (version !== undefined) reviewed = review();
      },
    ),
  );
  const confirm = async (): Promise<void> => {
    if (props.version === undefined) return;
    setBusy(true);
    setError(undefined);
    try {
      const revision = await reviewed;
      if (revision === undefined) {
        setError("The draft is not saved: settle that in the editor first.");
        return;
      }
      const changelog = reason().trim() || `Roll back to v${props.version}`;
      await clients.pipelines.rollbackPipeline({
        id: pipeline.id,
        version: props.version,
        changelog,
        revision,
        // The text below said that it is paused.
        endPause: paused(),
      });
      props.onClose();
      setParams({ version: undefined, deploy: "progress" }, { scroll: false });
    } catch (thrown) {
      setError(toUiError(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      open={props.version !== undefined}
      onOpenChange={(open) => !open && props.onClose()}
      title={`Roll back to v${props.version ?? 0}?`}
      confirmLabel="Roll back"
      busy={busy()}
      error={error()}
      onConfirm={() => void confirm()}
    >
      <p>
        Its text is published again as the next version, and it becomes the draft. What is in the
        draft now is replaced.
        <Show when={paused()}>
          {" "}
          The pipeline is paused: this ends that, and its hosts start it.
        </Show>
      </p>
      <Show when={pipeline.live().summary?.changed}>
        <Notice tone="warn">
          The draft differs from what was deployed: what is only in it is lost.
        </Notice>
      </Show>
      <TextField label="Reason" value={reason()} onValue={setReason} autocomplete="off" />
    </ConfirmDialog>
  );
}
