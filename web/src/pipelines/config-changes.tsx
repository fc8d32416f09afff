import { For, Match, Show, Switch, type JSX } from "solid-js";

import {
  ChangeKind,
  DeployEffect,
  type ComponentChange,
} from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { StateMark, type Tone } from "../ui/mark.tsx";

/** What a preview and a comparison both tell. */
export interface Changes {
  readonly changes: readonly ComponentChange[];
  readonly changedOptions: readonly string[];
  readonly effect: DeployEffect;
}

const changeWords: Record<number, { tone: Tone; word: string }> = {
  [ChangeKind.ADDED]: { tone: "ok", word: "added" },
  [ChangeKind.REMOVED]: { tone: "bad", word: "removed" },
  [ChangeKind.CHANGED]: { tone: "info", word: "changed" },
  [ChangeKind.RECONNECTED]: { tone: "info", word: "reconnected" },
};

const shownFields = 8;

/** Which components differ, in which options, and what that does on hosts. */
export function ConfigChanges(props: { changes: Changes; empty: string }): JSX.Element {
  return (
    <>
      <EffectLine changes={props.changes} />
      <ul class="review-list">
        <For each={props.changes.changedOptions}>
          {(option) => (
            <li class="inline">
              <code>{option}</code>
              <StateMark tone="info">changed, for the whole pipeline</StateMark>
            </li>
          )}
        </For>
        <For each={props.changes.changes}>
          {(change) => (
            <li class="inline">
              <code>{change.componentKey}</code>
              <StateMark tone={changeWords[change.kind]?.tone ?? "idle"}>
                {changeWords[change.kind]?.word ?? "changed"}
              </StateMark>
              <Show when={change.kind === ChangeKind.CHANGED && change.fields.length > 0}>
                <span class="muted">{fieldsText(change.fields)}</span>
              </Show>
            </li>
          )}
        </For>
        <Show
          when={props.changes.changes.length === 0 && props.changes.changedOptions.length === 0}
        >
          <li class="muted">{props.empty}</li>
        </Show>
      </ul>
    </>
  );
}

function fieldsText(fields: readonly string[]): string {
  const more = fields.length - shownFields;
  return `${fields.slice(0, shownFields).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function EffectLine(props: { changes: Changes }): JSX.Element {
  const rebuilt = (): readonly string[] =>
    props.changes.changes
      .filter(({ kind }) => kind === ChangeKind.CHANGED || kind === ChangeKind.RECONNECTED)
      .map(({ componentKey }) => componentKey);
  return (
    <Switch>
      <Match when={props.changes.effect === DeployEffect.RELOAD}>
        <p class="muted">
          {rebuilt().length === 0
            ? "Vector takes it over while it runs: nothing that runs restarts."
            : `Vector takes it over while it runs: ${rebuilt().length === 1 ? "this component restarts" : "these components restart"}, the others go on: ${fieldsText(rebuilt())}.`}
        </p>
      </Match>
      <Match when={props.changes.effect === DeployEffect.RESTART}>
        <p class="is-warn">
          The whole pipeline restarts on each host: {fieldsText(props.changes.changedOptions)}{" "}
          cannot be changed while it runs. Its process is drained first.
        </p>
      </Match>
      <Match when={props.changes.effect === DeployEffect.START}>
        <p class="muted">Hosts start it.</p>
      </Match>
      <Match when={props.changes.effect === DeployEffect.NOTHING}>
        <p class="muted">Hosts see no difference: nothing restarts.</p>
      </Match>
    </Switch>
  );
}
