import type { JSX } from "solid-js";

import { LinkButton } from "../ui/button.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { PageHeader } from "../ui/page.tsx";

export function NotFoundPage(): JSX.Element {
  return (
    <main class="page">
      <PageHeader title="Page not found" />
      <EmptyState
        title="Nothing is at this address"
        actions={
          <LinkButton href="/" variant="primary">
            Go to the start
          </LinkButton>
        }
      >
        The address may be mistyped, or what was here is gone.
      </EmptyState>
    </main>
  );
}
