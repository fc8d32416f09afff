import { Match, Show, Switch, type JSX } from "solid-js";

import type { Read } from "../state/create-read.ts";
import { ErrorBox, Skeleton } from "./feedback.tsx";

/** A section that hangs on one request: loading, failed, or there. Old data stays while refreshing. */
export function QueryView<T>(props: {
  read: Read<T>;
  skeletonRows?: number;
  children: (data: () => T) => JSX.Element;
}): JSX.Element {
  return (
    <>
      <Show when={props.read.error()}>
        {(error) => <ErrorBox error={error()} onRetry={() => props.read.refetch()} />}
      </Show>
      <Switch>
        <Match when={props.read.data()}>{(data) => props.children(data)}</Match>
        <Match when={props.read.pending()}>
          <Skeleton {...(props.skeletonRows !== undefined && { rows: props.skeletonRows })} />
        </Match>
      </Switch>
    </>
  );
}
