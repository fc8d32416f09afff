import { createSignal, onCleanup, Show, type JSX } from "solid-js";

import { toUiError, type UiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState, ErrorBox, Notice } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { openScreen, type Screen } from "./terminal-screen.ts";

type TopState =
  | { readonly kind: "idle" }
  | { readonly kind: "opening" }
  | { readonly kind: "open" }
  | { readonly kind: "ended"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: UiError };

/** `vector top` on the host, in a terminal that only looks. */
export function TopView(props: { pipelineId: string; nodeId: string }): JSX.Element {
  const { clients } = useApi();
  const [state, setState] = createSignal<TopState>({ kind: "idle" });
  const [place, setPlace] = createSignal<HTMLDivElement>();
  let session: AbortController | undefined;
  let screen: Screen | undefined;
  const close = (): void => {
    session?.abort(new Error("closed"));
    screen?.dispose();
    screen = undefined;
  };
  onCleanup(close);

  const open = async (): Promise<void> => {
    close();
    const element = place();
    if (element === undefined) return;
    const own = new AbortController();
    session = own;
    let terminalId = "";
    const control = (change: { input?: Uint8Array; columns?: number; rows?: number }): void => {
      if (terminalId === "" || own.signal.aborted) return;
      const { pipelineId, nodeId } = props;
      clients.inspection
        .controlTerminal({ pipelineId, nodeId, terminalId, ...change }, { signal: own.signal })
        // The stream says how it ended; a key that came too late means nothing.
        .catch(() => {});
    };
    // The place must be laid out before the terminal measures it.
    setState({ kind: "opening" });
    const opened = openScreen(element, {
      onInput: (input) => control({ input }),
      onResize: (columns, rows) => control({ columns, rows }),
    });
    screen = opened;
    try {
      const { columns, rows } = opened.size();
      const { pipelineId, nodeId } = props;
      const request = { pipelineId, nodeId, columns, rows };
      let reason = "The server ended it.";
      const options = { signal: own.signal, timeoutMs: 0 };
      for await (const part of clients.inspection.openTerminal(request, options)) {
        if (part.terminalId !== "") terminalId = part.terminalId;
        if (part.opened) {
          setState({ kind: "open" });
          opened.focus();
        }
        if (part.content.length > 0) opened.write(part.content);
        if (part.endedReason !== "") reason = part.endedReason;
      }
      setState({ kind: "ended", reason });
    } catch (error) {
      if (own.signal.aborted) setState({ kind: "ended", reason: "You closed it." });
      else setState({ kind: "failed", error: toUiError(error) });
    }
  };
  const runs = (): boolean => state().kind === "opening" || state().kind === "open";
  const failed = (): UiError | undefined => {
    const current = state();
    return current.kind === "failed" ? current.error : undefined;
  };
  const ended = (): string | undefined => {
    const current = state();
    return current.kind === "ended" ? current.reason : undefined;
  };

  return (
    <Section
      title="vector top"
      flush
      actions={
        <>
          <Show when={runs()}>
            <StateMark tone={state().kind === "open" ? "ok" : "idle"}>
              {state().kind === "open" ? "open" : "opening"}
            </StateMark>
          </Show>
          <Show
            when={runs()}
            fallback={
              <Button variant="primary" onClick={() => void open()}>
                Open
              </Button>
            }
          >
            <Button variant="danger" onClick={close}>
              Close
            </Button>
          </Show>
        </>
      }
    >
      <Show when={failed()}>
        {(error) => <ErrorBox title="It could not be opened." error={error()} />}
      </Show>
      <Show when={ended()}>
        {(reason) => (
          <Notice tone="info">
            <strong>It has ended.</strong> {reason()}
          </Notice>
        )}
      </Show>
      <Show when={state().kind === "idle"}>
        <EmptyState title="Counters of every component, as the host sees them">
          It runs on the host and changes nothing: keys that look around are passed on, all others
          are not. It closes after 10 minutes without a key.
        </EmptyState>
      </Show>
      <div class="top-screen" classList={{ "visually-hidden": !runs() }} ref={setPlace} />
    </Section>
  );
}
