import { createSignal, Show, type Accessor, type JSX } from "solid-js";

import { Button } from "./button.tsx";

/** A walk through the pages of a list, newest first. Only the page that is looked at is asked for. */
export interface Pages {
  /** Of the page that is looked at; empty for the first. */
  readonly token: Accessor<string>;
  readonly older: (nextPageToken: string) => void;
  readonly newer: () => void;
}

export function createPages(): Pages {
  const [tokens, setTokens] = createSignal<readonly string[]>([]);
  return {
    token: () => tokens().at(-1) ?? "",
    older: (nextPageToken) => setTokens([...tokens(), nextPageToken]),
    newer: () => setTokens(tokens().slice(0, -1)),
  };
}

/** Says so of a list that was read up to a bound and has more. */
export function MoreRows(props: { nextPageToken: string }): JSX.Element {
  return (
    <Show when={props.nextPageToken !== ""}>
      <p class="table-note">There are more than fit here. Programs can read all by the API.</p>
    </Show>
  );
}

/** Buttons to the pages before and after; nothing while there is only one. */
export function Pager(props: {
  pages: Pages;
  nextPageToken: string;
  loading: boolean;
}): JSX.Element {
  return (
    <Show when={props.pages.token() !== "" || props.nextPageToken !== ""}>
      <p class="table-note row-actions">
        <Show when={props.pages.token() !== ""}>
          <Button loading={props.loading} onClick={() => props.pages.newer()}>
            Newer
          </Button>
        </Show>
        <Show when={props.nextPageToken !== ""}>
          <Button loading={props.loading} onClick={() => props.pages.older(props.nextPageToken)}>
            Older
          </Button>
        </Show>
      </p>
    </Show>
  );
}
