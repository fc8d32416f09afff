import { Show, type JSX } from "solid-js";

import type { HostPolicy } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";

import { useRead } from "../state/create-read.ts";
import { Notice } from "../ui/feedback.tsx";
import { Facts, Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";

/** What the host itself allows, whatever is deployed to it. */
export function HostPolicySection(props: { hostId: string }): JSX.Element {
  const read = useRead(NodeService.method.getNode, () => ({ id: props.hostId }));
  return (
    <Section title="Host policy">
      <QueryView read={read}>
        {(answer) => (
          <Show
            when={answer().policy}
            fallback={
              <p class="muted">
                This host has no policy of its own: it runs what is deployed to it.
              </p>
            }
          >
            {(policy) => <Rules policy={policy()} />}
          </Show>
        )}
      </QueryView>
    </Section>
  );
}

function Rules(props: { policy: HostPolicy }): JSX.Element {
  return (
    <>
      <p class="muted">
        From <code>{props.policy.path}</code> on the host. Only its root user can change it.
      </p>
      <Show when={props.policy.problem}>
        {(problem) => (
          <Notice tone="warn">
            <strong>The policy file cannot be used as it is now.</strong> {problem()}
          </Notice>
        )}
      </Show>
      <Show
        when={props.policy.rules.length > 0}
        fallback={
          <Show when={!props.policy.problem}>
            <p>It limits nothing.</p>
          </Show>
        }
      >
        <Facts
          facts={props.policy.rules.map(({ title, text }) => [title, <span>{text}</span>] as const)}
        />
      </Show>
    </>
  );
}
