import type { JSX } from "solid-js";

import "./mark.css";

/** How a state is meant. Colour follows tone; shape too, since colour alone says nothing to some. */
export type Tone = "ok" | "warn" | "bad" | "idle" | "info";

const shapes: Record<Tone, string> = { ok: "●", warn: "▲", bad: "■", idle: "○", info: "◆" };

/** A state: shape, word and colour. */
export function StateMark(props: { tone: Tone; children: JSX.Element }): JSX.Element {
  return (
    <span class="state-mark" data-tone={props.tone}>
      <span class="state-mark-shape" aria-hidden="true">
        {shapes[props.tone]}
      </span>
      <span class="state-mark-word">{props.children}</span>
    </span>
  );
}

/** A short remark beside a name. */
export function Badge(props: { tone?: Tone; title?: string; children: JSX.Element }): JSX.Element {
  return (
    <span class="badge" data-tone={props.tone ?? "idle"} title={props.title}>
      {props.children}
    </span>
  );
}

/** Marks a host, or what runs on it, whose events are made up by vector-sim. */
export function SimulatedBadge(): JSX.Element {
  return (
    <Badge tone="info" title="Runs vector-sim, a stand-in for Vector: its events are not real.">
      simulated
    </Badge>
  );
}
