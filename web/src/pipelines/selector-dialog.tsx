import X from "lucide-solid/icons/x";
import { createEffect, createMemo, createSignal, For, Index, on, Show, type JSX } from "solid-js";

import { DeliveryEffect } from "#gen/vectorflow/v1/delivery_pb.ts";
import {
  DeliveryService,
  type GetDeliveryResponse,
  type PreviewSelectorResponse,
} from "#gen/vectorflow/v1/delivery_service_pb.ts";

import { plural } from "../lib/format.ts";
import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useLive } from "../state/live.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Notice } from "../ui/feedback.tsx";
import { Checkbox, Select } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { StateMark } from "../ui/mark.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { needsValue, operatorOptions, toRows, toTerms, type TermRow } from "./selector.ts";

const emptyRow: TermRow = { key: "", operator: "=", value: "" };

/** Edits which hosts a pipeline is for, and shows at each step which they are and where it stops (S20). */
export function SelectorDialog(props: {
  delivery: GetDeliveryResponse;
  onClose: () => void;
  onSaved: () => void;
}): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const live = useLive();
  const action = createAction();
  // What was there when the dialog opened: the page behind it may learn of a newer one.
  const { etag, selector } = props.delivery;
  const [rows, setRows] = createSignal<readonly TermRow[]>(toRows(selector?.terms ?? []));
  const [confirmed, setConfirmed] = createSignal(false);
  const terms = createMemo(() => toTerms(rows()), undefined, {
    equals: (a, b) => JSON.stringify(a) === JSON.stringify(b),
  });
  const preview = useRead(
    DeliveryService.method.previewSelector,
    () => ({ pipelineId: pipeline.id, selector: { terms: terms() } }),
    { staleTime: 0, keepPrevious: true },
  );
  // Hosts that join or leave meanwhile count too.
  createEffect(on(() => live.data.hostsVersion, preview.refetch, { defer: true }));
  const stops = (): number => preview.data()?.stoppingCount ?? 0;
  const change = (index: number, part: Partial<TermRow>): void => {
    setConfirmed(false);
    setRows((old) => old.map((row, at) => (at === index ? { ...row, ...part } : row)));
  };
  const save = async (): Promise<void> => {
    const done = await action.run(() =>
      clients.delivery.setSelector({
        pipelineId: pipeline.id,
        selector: { terms: terms() },
        etag,
        confirmStops: confirmed(),
      }),
    );
    if (!done) return;
    showToast("The pipeline moves to its hosts now");
    props.onSaved();
  };
  const blocked = (): string | undefined => {
    if (preview.error()) return "Complete the conditions first";
    if (preview.fetching()) return "Looking which hosts these are";
    return stops() > 0 && !confirmed() ? "Confirm where it stops" : undefined;
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title="Which hosts run it?"
      description="By labels that people set here. All conditions must hold; without one, every host of the environment runs it."
      footer={
        <>
          <Button onClick={() => props.onClose()}>Cancel</Button>
          <Button
            variant="primary"
            loading={action.busy()}
            disabledReason={blocked()}
            onClick={() => void save()}
          >
            Save and move
          </Button>
        </>
      }
    >
      <div class="selector-form">
        <Index each={rows()}>
          {(row, index) => (
            <TermFields
              row={row()}
              number={index + 1}
              onChange={(part) => change(index, part)}
              onRemove={() => {
                setConfirmed(false);
                setRows((old) => old.filter((_, at) => at !== index));
              }}
            />
          )}
        </Index>
        <div>
          <Button onClick={() => setRows((old) => [...old, emptyRow])}>Add condition</Button>
        </div>
        <QueryView read={preview} skeletonRows={3}>
          {(answer) => <Matches preview={answer()} />}
        </QueryView>
        <Show when={stops() > 0}>
          <Checkbox
            label={`Stop it on ${plural(stops(), "host")}`}
            checked={confirmed()}
            onChecked={setConfirmed}
          />
        </Show>
        <FormError text={action.error()} />
      </div>
    </Dialog>
  );
}

function TermFields(props: {
  row: TermRow;
  number: number;
  onChange: (part: Partial<TermRow>) => void;
  onRemove: () => void;
}): JSX.Element {
  return (
    <div class="selector-row">
      <input
        class="input"
        aria-label={`Label of condition ${props.number}`}
        placeholder="label"
        value={props.row.key}
        onInput={(event) => props.onChange({ key: event.currentTarget.value })}
      />
      <Select
        label={`Comparison of condition ${props.number}`}
        value={props.row.operator}
        options={operatorOptions}
        onValue={(operator) => props.onChange({ operator })}
      />
      <Show when={needsValue(props.row.operator)} fallback={<span />}>
        <input
          class="input"
          aria-label={`Value of condition ${props.number}`}
          placeholder={props.row.operator === "in" ? "one, another" : "value"}
          value={props.row.value}
          onInput={(event) => props.onChange({ value: event.currentTarget.value })}
        />
      </Show>
      <Button
        variant="ghost"
        square
        aria-label={`Remove condition ${props.number}`}
        onClick={() => props.onRemove()}
      >
        <X size={14} aria-hidden="true" />
      </Button>
    </div>
  );
}

const shown = 12;

function Matches(props: { preview: PreviewSelectorResponse }): JSX.Element {
  const names = (effect: DeliveryEffect): string => {
    const found = props.preview.nodes.filter((node) => node.effect === effect);
    const more = found.length > shown ? ` and ${found.length - shown} more` : "";
    return `${found
      .slice(0, shown)
      .map(({ name }) => name)
      .join(", ")}${more}`;
  };
  return (
    <div role="status">
      <p>
        {props.preview.selectedCount} of {plural(props.preview.totalCount, "host")}
      </p>
      <Show when={props.preview.stoppingCount > 0}>
        <Notice tone="warn">
          Stops on <strong>{names(DeliveryEffect.STOPS)}</strong>
        </Notice>
      </Show>
      <For
        each={
          [
            ["starts on", DeliveryEffect.STARTS],
            ["stays on", DeliveryEffect.STAYS],
            ["would be for", DeliveryEffect.NONE],
          ] as const
        }
      >
        {([words, effect]) => (
          <Show when={names(effect)}>
            <p>
              <StateMark tone={effect === DeliveryEffect.STARTS ? "ok" : "idle"}>{words}</StateMark>{" "}
              {names(effect)}
            </p>
          </Show>
        )}
      </For>
    </div>
  );
}
