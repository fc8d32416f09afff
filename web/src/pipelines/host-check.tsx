import { createEffect, createSignal, For, on, onCleanup, Show, type JSX } from "solid-js";

import {
  HostVerdict,
  type HostCheckGroup,
  type PreviewOnHostsResponse,
} from "#gen/vectorflow/v1/preview_service_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { plural } from "../lib/format.ts";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { ErrorBox } from "../ui/feedback.tsx";
import { StateMark, type Tone } from "../ui/mark.tsx";
import { usePipeline } from "./pipeline-context.tsx";

const verdicts: Record<number, { tone: Tone; word: string }> = {
  [HostVerdict.ACCEPTED]: { tone: "ok", word: "would take it" },
  [HostVerdict.REFUSED]: { tone: "bad", word: "would refuse it" },
  [HostVerdict.FAILED]: { tone: "warn", word: "could not check it" },
  [HostVerdict.NO_ANSWER]: { tone: "warn", word: "no answer" },
  [HostVerdict.TOO_OLD]: { tone: "idle", word: "not asked" },
  [HostVerdict.NOT_CONNECTED]: { tone: "idle", word: "not asked" },
};

/**
 * Asks the hosts before a deploy: each checks the text with its own Vector, policy and secrets, and applies nothing.
 * Answers show as they come; another text, or leaving, ends the question on the hosts.
 */
export function HostCheck(props: { yaml: string; targetCount: number }): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const [preview, setPreview] = createSignal<PreviewOnHostsResponse>();
  const [asking, setAsking] = createSignal<AbortController>();
  const [error, setError] = createSignal<UiError>();
  const stop = (): void => {
    asking()?.abort();
    setAsking(undefined);
  };
  onCleanup(stop);
  createEffect(
    on(
      () => props.yaml,
      () => {
        stop();
        setPreview(undefined);
        setError(undefined);
      },
      { defer: true },
    ),
  );
  const ask = async (): Promise<void> => {
    stop();
    const own = new AbortController();
    setAsking(own);
    setPreview(undefined);
    setError(undefined);
    try {
      const answers = clients.previews.previewOnHosts(
        { pipelineId: pipeline.id, yaml: props.yaml },
        { signal: own.signal, timeoutMs: 0 },
      );
      for await (const answer of answers) if (!own.signal.aborted) setPreview(answer);
    } catch (thrown) {
      if (!own.signal.aborted) setError(toUiError(thrown));
    } finally {
      if (asking() === own) setAsking(undefined);
    }
  };
  return (
    <section class="host-check" aria-label="What hosts say">
      <div class="inline">
        <Show
          when={asking() !== undefined}
          fallback={
            <Button
              disabledReason={props.targetCount === 0 ? "No host has to run it" : undefined}
              onClick={() => void ask()}
            >
              {preview() === undefined ? "Ask the hosts" : "Ask again"}
            </Button>
          }
        >
          <Button onClick={stop}>Stop</Button>
        </Show>
        <span class="muted" role="status">
          <Show
            when={preview()}
            fallback="Each host checks it with its own Vector, policy and secrets, and applies nothing."
          >
            {(answer) => <>{progressText(answer(), asking() !== undefined)}</>}
          </Show>
        </span>
      </div>
      <Show when={error()}>
        {(problem) => <ErrorBox title="The hosts were not asked." error={problem()} />}
      </Show>
      <ul class="problem-list">
        <For each={preview()?.groups}>{(group) => <Group group={group} />}</For>
      </ul>
    </section>
  );
}

function progressText(preview: PreviewOnHostsResponse, asking: boolean): string {
  const { askedCount, answeredCount, acceptedCount } = preview;
  const answers = `${answeredCount} of ${plural(askedCount, "host")} answered, ${acceptedCount} would take it`;
  if (preview.done || asking) return answers;
  return `${answers}; stopped`;
}

function Group(props: { group: HostCheckGroup }): JSX.Element {
  const verdict = (): { tone: Tone; word: string } =>
    verdicts[props.group.verdict] ?? { tone: "idle", word: "unknown" };
  const more = (): number => props.group.nodeCount - props.group.nodeNames.length;
  return (
    <li class="problem-line">
      <StateMark tone={verdict().tone}>
        {plural(props.group.nodeCount, "host")} {verdict().word}
      </StateMark>
      <Show when={props.group.componentKey}>
        <code>
          {props.group.componentKey}
          {props.group.field === "" ? "" : `.${props.group.field}`}
        </code>
      </Show>
      <Show when={props.group.message}>
        <span class="problem-message">{props.group.message}</span>
      </Show>
      <Show when={props.group.vectorVersion}>
        <span class="problem-message">Vector {props.group.vectorVersion}</span>
      </Show>
      <span class="muted">
        {props.group.nodeNames.join(", ")}
        {more() > 0 ? ` and ${more()} more` : ""}
      </span>
    </li>
  );
}
