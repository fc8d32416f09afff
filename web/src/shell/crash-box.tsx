import type { JSX } from "solid-js";

import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Notice } from "../ui/feedback.tsx";

/** What is shown instead of a page that failed to draw. */
export function CrashBox(props: { error: unknown; onReset: () => void }): JSX.Element {
  const details = (): string =>
    props.error instanceof Error ? (props.error.stack ?? props.error.message) : String(props.error);
  // After an update of the server the old page's lazy parts are gone; only a fresh page helps.
  const reload = (): void => window.location.reload();
  return (
    <div class="page">
      <Notice
        tone="bad"
        actions={
          <>
            <Button onClick={() => props.onReset()}>Try again</Button>
            <Button onClick={reload}>Reload the page</Button>
            <CopyButton text={`${window.location.href}\n${details()}`} label="Copy details" />
          </>
        }
      >
        <strong>This page failed.</strong> The rest of VectorFlow goes on.
      </Notice>
    </div>
  );
}
