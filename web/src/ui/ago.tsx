import type { JSX } from "solid-js";

import { formatAbsolute, formatAgo } from "../lib/time.ts";

/** A time by how long ago it was, with the exact one on hover. An unknown time is a dash. */
export function Ago(props: { ms: number | undefined; now: number }): JSX.Element {
  return (
    <time
      dateTime={props.ms === undefined ? undefined : new Date(props.ms).toISOString()}
      title={props.ms === undefined ? undefined : formatAbsolute(props.ms)}
    >
      {props.ms === undefined ? "–" : formatAgo(props.ms, props.now)}
    </time>
  );
}
