import { createSignal, For, lazy, Show, type JSX } from "solid-js";

import {
  LifecycleService,
  type PreviewPromotionResponse,
} from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { toUiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select, TextField } from "../ui/field.tsx";
import { EmptyState, Notice } from "../ui/feedback.tsx";
import { FormError } from "../ui/form-error.tsx";
import { StateMark } from "../ui/mark.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { countErrors, sortProblems } from "./preview.ts";
import { ProblemLine } from "./problem-line.tsx";

const DiffView = lazy(async () => ({ default: (await import("./editor/diff-view.tsx")).DiffView }));

/** Brings the draft, or what is deployed, into another environment, after showing what that needs there. */
export function PromoteSheet(props: { onClose: () => void }): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const session = useSession();
  const pipeline = usePipeline();
  const summary = () => pipeline.live().summary;
  const others = () =>
    environment
      .environments()
      .filter(
        ({ id, role }) =>
          id !== environment.id() && (role >= Role.EDITOR || session.user()?.superAdmin === true),
      );
  const published = (): number => summary()?.deployedVersion || summary()?.pausedVersion || 0;
  const [target, setTarget] = createSignal(others()[0]?.id ?? "");
  const [what, setWhat] = createSignal<"version" | "draft">(published() > 0 ? "version" : "draft");
  const [name, setName] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  const request = () => ({
    id: pipeline.id,
    targetEnvironmentId: target(),
    version: what() === "version" ? published() : 0,
    name: name().trim(),
  });
  const read = useRead(
    LifecycleService.method.previewPromotion,
    () => (target() === "" ? undefined : request()),
    // What exists there may have changed since the last look.
    { staleTime: 0, keepPrevious: true },
  );
  const targetName = (): string => others().find(({ id }) => id === target())?.name ?? "";
  const missing = () => (read.data()?.references ?? []).filter(({ exists }) => !exists);
  const block = (): string | undefined => {
    if (read.data() === undefined || read.fetching()) return "Still checking";
    if (missing().length === 0) return undefined;
    const names = missing().map(({ kind, name: missed }) => `${kind} ${missed}`);
    return `Create ${names.slice(0, 3).join(", ")} in ${targetName()} first`;
  };
  const promote = async (): Promise<void> => {
    const preview = read.data();
    if (preview === undefined) return;
    setBusy(true);
    setError(undefined);
    try {
      const { created } = await clients.lifecycle.promotePipeline({
        ...request(),
        targetRevision: preview.target?.revision ?? "",
        sourceRevision: preview.sourceRevision,
      });
      props.onClose();
      showToast(
        created
          ? `${targetName()} has it as a draft now: deploy it there`
          : `The draft in ${targetName()} is replaced: deploy it there`,
      );
    } catch (thrown) {
      setError(toUiError(thrown).message);
      read.refetch();
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      sheet
      open
      onOpenChange={() => props.onClose()}
      title={`Promote ${summary()?.name ?? ""}`}
      description="It becomes a draft in the other environment. Nothing is deployed."
      footer={
        <>
          <Show when={missing().length > 0 && block()}>
            {(why) => <span class="is-bad footer-note">{why()}</span>}
          </Show>
          <Button onClick={() => props.onClose()}>Cancel</Button>
          <Button
            variant="primary"
            loading={busy()}
            disabledReason={block()}
            onClick={() => void promote()}
          >
            {read.data()?.target === undefined ? "Promote" : "Replace the draft there"}
          </Button>
        </>
      }
    >
      <Show
        when={others().length > 0}
        fallback={
          <EmptyState title="No other environment">
            You may change pipelines in no other environment.
          </EmptyState>
        }
      >
        <div class="inline">
          <Select
            label="Target environment"
            value={target()}
            onValue={setTarget}
            options={others().map(({ id, name: label }) => ({ value: id, label }))}
          />
          <Show when={published() > 0}>
            <Select
              label="What to promote"
              value={what()}
              onValue={setWhat}
              options={[
                { value: "version", label: `Version ${published()}` },
                { value: "draft", label: "The draft" },
              ]}
            />
          </Show>
        </div>
        <TextField
          label="Name there"
          hint="Empty: the same name."
          value={name()}
          onValue={setName}
          autocomplete="off"
        />
        <FormError text={error()} />
        <QueryView read={read}>
          {(preview) => <PromotionReview preview={preview()} targetName={targetName()} />}
        </QueryView>
      </Show>
    </Dialog>
  );
}

function PromotionReview(props: {
  preview: PreviewPromotionResponse;
  targetName: string;
}): JSX.Element {
  return (
    <>
      <Show when={props.preview.references.length > 0}>
        <h3>It refers to</h3>
        <ul class="review-list">
          <For each={props.preview.references}>
            {(reference) => (
              <li class="inline">
                <code>{reference.name}</code>
                <span class="muted">{reference.kind}</span>
                <StateMark tone={reference.exists ? "ok" : "bad"}>
                  {reference.exists ? "exists there" : `missing in ${props.targetName}`}
                </StateMark>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Show when={props.preview.problems.length > 0}>
        <Notice tone={countErrors(props.preview.problems) > 0 ? "bad" : "warn"}>
          <strong>What {props.targetName} says about it</strong>
          <ul class="problem-list">
            <For each={sortProblems(props.preview.problems)}>
              {(problem) => (
                <li>
                  <ProblemLine problem={problem} />
                </li>
              )}
            </For>
          </ul>
        </Notice>
      </Show>
      <Show
        when={props.preview.target}
        fallback={<p>No pipeline of that name is there: a new draft is made.</p>}
      >
        {(target) => (
          <>
            <Show when={target().changed}>
              <Notice tone="warn">
                The draft of {target().name} there has changes that were never deployed. They are
                replaced.
              </Notice>
            </Show>
            <DiffView
              before={target().yaml}
              after={props.preview.yaml}
              beforeLabel={`Draft in ${props.targetName}`}
              afterLabel="Promoted"
            />
          </>
        )}
      </Show>
    </>
  );
}
