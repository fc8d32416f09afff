import { useSearchParams } from "@solidjs/router";
import { createEffect, createSignal, lazy, on, Show, type JSX } from "solid-js";

import { PipelineState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { PreviewPipelineResponse } from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextArea } from "../ui/field.tsx";
import { EmptyState, ErrorBox, Notice, Skeleton } from "../ui/feedback.tsx";
import { DeployReview } from "./deploy-review.tsx";
import { HostCheck } from "./host-check.tsx";
import { HostProgress } from "./host-progress.tsx";
import { usePipeline, type OpenPipeline } from "./pipeline-context.tsx";
import { countProgress } from "./pipeline-state.ts";
import { deployBlock } from "./preview.ts";

const DiffView = lazy(async () => ({ default: (await import("./editor/diff-view.tsx")).DiffView }));

/** Everything about a deploy on one surface: what changes, where, why; then how it goes. */
export function DeploySheet(): JSX.Element {
  const [params, setParams] = useSearchParams();
  const pipeline = usePipeline();
  const running = (): boolean => params["deploy"] === "progress";
  const name = (): string => pipeline.live().summary?.name ?? "";
  const close = (): void => {
    setParams({ deploy: undefined }, { scroll: false });
  };
  return (
    <Show
      when={running()}
      fallback={
        <Review
          title={`Deploy ${name()}`}
          onClose={close}
          onDeployed={() => setParams({ deploy: "progress" }, { replace: true, scroll: false })}
        />
      }
    >
      <Dialog
        sheet
        open
        onOpenChange={close}
        title={progressTitle(pipeline)}
        description="It goes on when you close this; the overview shows the same."
        footer={<Button onClick={close}>Close</Button>}
      >
        <div class="section">
          <HostProgress
            empty={
              <EmptyState title="Waiting for hosts">
                No host of this environment has to run it yet.
              </EmptyState>
            }
          />
        </div>
      </Dialog>
    </Show>
  );
}

function Review(props: {
  title: string;
  onClose: () => void;
  onDeployed: () => void;
}): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const [reason, setReason] = createSignal("");
  const [preview, setPreview] = createSignal<PreviewPipelineResponse>();
  /** The text that the preview is of. */
  const [reviewed, setReviewed] = createSignal("");
  const [error, setError] = createSignal<UiError>();
  const [busy, setBusy] = createSignal(false);

  const paused = (): boolean => pipeline.live().summary?.state === PipelineState.PAUSED;

  const load = async (): Promise<void> => {
    setError(undefined);
    try {
      if (!(await pipeline.draft.flush())) {
        const state = pipeline.draft.state();
        const why = state.kind === "failed" ? state.error.message : "Settle that in the editor.";
        setError({ kind: "stale", reason: "", violations: [], message: `Not saved. ${why}` });
        return;
      }
      const yaml = pipeline.draft.text();
      const answer = await clients.pipelines.previewPipeline({ id: pipeline.id, yaml });
      setReviewed(yaml);
      setPreview(answer);
    } catch (thrown) {
      setError(toUiError(thrown));
    }
  };
  createEffect(on(pipeline.draft.text, () => void load()));

  const deploy = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await clients.pipelines.deployPipeline({
        id: pipeline.id,
        changelog: reason().trim(),
        revision: pipeline.draft.revision(),
        // Only when it was said here that it is paused.
        endPause: paused(),
      });
      props.onDeployed();
    } catch (thrown) {
      setError(describe(toUiError(thrown)));
    } finally {
      setBusy(false);
    }
  };
  const block = (): string | undefined => {
    const answer = preview();
    if (answer === undefined) return "Still checking";
    return deployBlock(answer.problems);
  };

  return (
    <Dialog
      sheet
      open
      onOpenChange={() => props.onClose()}
      title={props.title}
      footer={
        <>
          <Show when={preview() && block()}>
            {(why) => <span class="is-bad footer-note">{why()}</span>}
          </Show>
          <Button onClick={() => props.onClose()}>Cancel</Button>
          <Button
            variant="primary"
            loading={busy()}
            disabledReason={block()}
            onClick={() => void deploy()}
          >
            Deploy
          </Button>
        </>
      }
    >
      <Show when={error()}>
        {(problem) => (
          <ErrorBox title="Not deployed." error={problem()} onRetry={() => void load()} />
        )}
      </Show>
      <Show when={paused()}>
        <Notice tone="warn">
          <strong>It is paused.</strong> A deploy ends that: the hosts start the new version instead
          of v{pipeline.live().summary?.pausedVersion}.
        </Notice>
      </Show>
      <Show when={preview()} fallback={<Skeleton rows={6} />}>
        {(answer) => (
          <>
            <DeployReview preview={answer()} />
            <Show when={answer().configYaml !== ""}>
              <HostCheck yaml={reviewed()} targetCount={answer().targets.length} />
            </Show>
            <TextArea
              label="Reason"
              hint="Kept with the version, for whoever looks for the cause later."
              rows={2}
              maxLength={1000}
              value={reason()}
              onValue={setReason}
            />
            <Show when={answer().configYaml !== ""}>
              <DiffView
                before={answer().deployedYaml}
                after={answer().configYaml}
                beforeLabel={
                  answer().deployedYaml === ""
                    ? "Nothing is deployed"
                    : paused()
                      ? "Paused"
                      : "Deployed"
                }
                afterLabel="New"
              />
            </Show>
          </>
        )}
      </Show>
    </Dialog>
  );
}

function progressTitle(pipeline: OpenPipeline): string {
  const { summary } = pipeline.live();
  const statuses = pipeline.statuses();
  const what = `${summary?.name ?? ""} v${summary?.deployedVersion ?? 0}`;
  const done = statuses.length > 0 && countProgress(statuses).healthy === statuses.length;
  return done ? `${what} is healthy everywhere` : `${what} on its way`;
}

/** Names the components of a refusal, whose message alone may not. */
function describe(error: UiError): UiError {
  if (error.violations.length === 0) return error;
  const list = error.violations.map(({ field, message }) => `${field}: ${message}`).join(" ");
  return { ...error, message: `${error.message} ${list}` };
}
