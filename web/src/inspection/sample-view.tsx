import { useSearchParams } from "@solidjs/router";
import { createEffect, createSignal, For, on, onCleanup, Show, type JSX } from "solid-js";

import { SampleState, type Sample } from "#gen/vectorflow/v1/inspection_pb.ts";
import { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { formatClock, millisOf } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState, ErrorBox, Notice, Skeleton } from "../ui/feedback.tsx";
import { Select } from "../ui/field.tsx";
import { Section } from "../ui/page.tsx";
import type { LookAt } from "./look-at.ts";
import { SampleResult } from "./sample-result.tsx";

const pollMs = 400;
const counts = ["1", "5", "20", "100"].map((value) => ({ value, label: `${value} events` }));

/** Takes samples and shows one: the newest, or an earlier one of the list. */
export function SampleView(props: { pipelineId: string; look: LookAt }): JSX.Element {
  const { clients } = useApi();
  const [search, setSearch] = useSearchParams();
  const [limit, setLimit] = createSignal("5");
  const [asking, setAsking] = createSignal(false);
  const [refusal, setRefusal] = createSignal<UiError>();
  const earlier = useRead(InspectionService.method.listSamples, () => ({
    pipelineId: props.pipelineId,
  }));
  const shownId = (): string =>
    String(search["sample"] ?? "") || (earlier.data()?.samples[0]?.id ?? "");

  const take = async (): Promise<void> => {
    setAsking(true);
    setRefusal(undefined);
    try {
      const { sample } = await clients.inspection.sampleEvents({
        pipelineId: props.pipelineId,
        nodeId: props.look.hostId(),
        componentKeys: [...props.look.chosen()],
        limit: Number(limit()),
      });
      setSearch({ sample: sample?.id }, { replace: true, scroll: false });
      earlier.refetch();
    } catch (error) {
      setRefusal(toUiError(error));
    } finally {
      setAsking(false);
    }
  };

  return (
    <>
      <Section
        title="Sample"
        actions={
          <>
            <Show when={(earlier.data()?.samples.length ?? 0) > 0}>
              <Select
                label="Samples that are kept"
                value={shownId()}
                options={(earlier.data()?.samples ?? []).map(optionOf)}
                onValue={(sample) => setSearch({ sample }, { replace: true, scroll: false })}
              />
            </Show>
            <Select label="How many of each" value={limit()} options={counts} onValue={setLimit} />
            <Button
              variant="primary"
              loading={asking()}
              disabledReason={props.look.chosen().length > 0 ? undefined : "Choose a component"}
              onClick={() => void take()}
            >
              Take a sample
            </Button>
          </>
        }
      >
        <Show when={refusal()}>
          {(error) => <ErrorBox title="The host could not be asked." error={error()} />}
        </Show>
        <Show
          when={shownId()}
          fallback={
            <Show when={!earlier.pending()} fallback={<Skeleton rows={3} />}>
              <EmptyState title="No sample yet">
                A sample is a few events of each chosen component, with the fields they have.
                Secrets are redacted on the host.
              </EmptyState>
            </Show>
          }
          keyed
        >
          {(id) => <FollowedSample pipelineId={props.pipelineId} id={id} />}
        </Show>
      </Section>
    </>
  );
}

function optionOf(sample: Sample): { readonly value: string; readonly label: string } {
  const time = millisOf(sample.requestTime);
  const at = time === undefined ? "" : formatClock(time);
  const keys = sample.componentKeys.join(", ");
  return { value: sample.id, label: `${at} ${sample.nodeName || "gone host"}: ${keys}` };
}

/** Asks until the host has answered. */
function FollowedSample(props: { pipelineId: string; id: string }): JSX.Element {
  const { clients, clock } = useApi();
  const [sample, setSample] = createSignal<Sample>();
  const [error, setError] = createSignal<UiError>();
  const [round, setRound] = createSignal(0);

  createEffect(
    on([() => props.id, round], () => {
      const own = new AbortController();
      const follow = async (): Promise<void> => {
        for (;;) {
          const request = { pipelineId: props.pipelineId, id: props.id };
          const answer = await clients.inspection.getSample(request, { signal: own.signal });
          setSample(answer.sample);
          if (answer.sample?.state !== SampleState.PENDING) return;
          await clock.sleep(pollMs, own.signal);
        }
      };
      setError(undefined);
      follow().catch((thrown: unknown) => {
        if (!own.signal.aborted) setError(toUiError(thrown));
      });
      onCleanup(() => own.abort(new Error("left")));
    }),
  );

  return (
    <>
      <Show when={error()}>
        {(current) => <ErrorBox error={current()} onRetry={() => setRound(round() + 1)} />}
      </Show>
      <Show when={sample()}>
        {(current) => (
          <Show
            when={current().state !== SampleState.PENDING}
            fallback={<Waiting sample={current()} />}
          >
            <Show when={current().error}>
              {(message) => (
                <Notice tone="bad">
                  <strong>There are no events.</strong> {message()}
                </Notice>
              )}
            </Show>
            <For each={current().components}>
              {(component) => <SampleResult component={component} />}
            </For>
          </Show>
        )}
      </Show>
    </>
  );
}

function Waiting(props: { sample: Sample }): JSX.Element {
  return (
    <p role="status" class="muted">
      Waiting for {props.sample.nodeName}: {props.sample.limit} events of{" "}
      {props.sample.componentKeys.join(", ")}…
    </p>
  );
}
