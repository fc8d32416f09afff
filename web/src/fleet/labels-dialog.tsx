import X from "lucide-solid/icons/x";
import { createEffect, createMemo, createSignal, Index, on, Show, type JSX } from "solid-js";

import { DeliveryEffect } from "#gen/vectorflow/v1/delivery_pb.ts";
import { DeliveryService, type AffectedPipeline } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import type { Node } from "#gen/vectorflow/v1/node_pb.ts";

import { toUiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Notice } from "../ui/feedback.tsx";
import { FormError } from "../ui/form-error.tsx";
import { showToast } from "../ui/toast.tsx";
import { parseLabels, sortedLabels, type LabelRow } from "./labels.ts";

/** Edits the labels that are set on the server. All of them are replaced together. */
export function LabelsDialog(props: {
  host: Node;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}): JSX.Element {
  const { clients } = useApi();
  const [rows, setRows] = createSignal<readonly LabelRow[]>([]);
  const [error, setError] = createSignal<string>();
  const [busy, setBusy] = createSignal(false);
  createEffect(
    on(
      () => props.open,
      (open) => {
        if (!open) return;
        setError(undefined);
        const entries = sortedLabels(props.host.labels);
        setRows(entries.length > 0 ? entries.map(([key, value]) => ({ key, value })) : [emptyRow]);
      },
    ),
  );
  const labels = createMemo(() => parseLabels(rows()));
  const preview = useRead(
    DeliveryService.method.previewLabels,
    () => {
      const parsed = labels();
      if (!props.open || parsed.kind === "invalid") return undefined;
      return { nodeId: props.host.id, labels: parsed.labels };
    },
    { staleTime: 0, keepPrevious: true },
  );
  const stops = (): boolean =>
    (preview.data()?.pipelines ?? []).some(({ effect }) => effect === DeliveryEffect.STOPS);
  const change = (index: number, part: Partial<LabelRow>): void => {
    setRows((old) => old.map((row, at) => (at === index ? { ...row, ...part } : row)));
  };
  const save = async (): Promise<void> => {
    const parsed = parseLabels(rows());
    if (parsed.kind === "invalid") {
      setError(parsed.message);
      return;
    }
    if (preview.error() || preview.fetching()) {
      setError(preview.error()?.message ?? "Still looking what these labels move.");
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      await clients.nodes.updateNode({ id: props.host.id, labels: { labels: parsed.labels } });
      props.onOpenChange(false);
      showToast(`Labels of ${props.host.name} saved`);
    } catch (thrown) {
      setError(toUiError(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={`Labels of ${props.host.name}`}
      description="Labels select which hosts a pipeline runs on."
      footer={
        <>
          <Button onClick={() => props.onOpenChange(false)}>Cancel</Button>
          <Button
            variant={stops() ? "danger" : "primary"}
            loading={busy()}
            onClick={() => void save()}
          >
            {stops() ? "Save labels and stop" : "Save labels"}
          </Button>
        </>
      }
    >
      <div class="label-form">
        <Index each={rows()}>
          {(row, index) => (
            <div class="label-row">
              <input
                class="input"
                aria-label={`Name of label ${index + 1}`}
                placeholder="name"
                value={row().key}
                onInput={(event) => change(index, { key: event.currentTarget.value })}
              />
              <input
                class="input"
                aria-label={`Value of label ${index + 1}`}
                placeholder="value"
                value={row().value}
                onInput={(event) => change(index, { value: event.currentTarget.value })}
              />
              <Button
                variant="ghost"
                square
                aria-label={`Remove label ${index + 1}`}
                onClick={() => setRows((old) => old.filter((_, at) => at !== index))}
              >
                <X size={14} aria-hidden="true" />
              </Button>
            </div>
          )}
        </Index>
        <div>
          <Button onClick={() => setRows((old) => [...old, emptyRow])}>Add label</Button>
        </div>
        <LabelEffects pipelines={preview.data()?.pipelines ?? []} />
        <FormError text={error()} />
      </div>
    </Dialog>
  );
}

const emptyRow: LabelRow = { key: "", value: "" };

/** Which pipelines the labels start and stop on this host, before anything is saved. */
function LabelEffects(props: { pipelines: readonly AffectedPipeline[] }): JSX.Element {
  const names = (effect: DeliveryEffect): string =>
    props.pipelines
      .filter((pipeline) => pipeline.effect === effect)
      .map(({ name }) => name)
      .join(", ");
  return (
    <div role="status">
      <Show when={names(DeliveryEffect.STOPS)}>
        {(stopped) => (
          <Notice tone="warn">
            These labels stop <strong>{stopped()}</strong> on this host at once.
          </Notice>
        )}
      </Show>
      <Show when={names(DeliveryEffect.STARTS)}>
        {(started) => (
          <Notice tone="info">
            These labels start <strong>{started()}</strong> on this host at once.
          </Notice>
        )}
      </Show>
    </div>
  );
}
