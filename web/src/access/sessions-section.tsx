import { For, Show, type JSX } from "solid-js";

import type { Session } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";

import { millisOf } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useReadAll } from "../state/create-read.ts";
import { createAction } from "../ui/action.ts";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { Badge } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";

/** Where one is signed in, and the way to end that. */
export function SessionsSection(): JSX.Element {
  const read = useReadAll(ProfileService.method.listSessions, () => ({}), { staleTime: 0 });
  return (
    <Section title="Sessions" flush>
      <QueryView read={read}>
        {(answer) => (
          <>
            <PlainTable label="Sessions" head={["Signed in from", "Last used", "Since", ""]}>
              <For each={answer().sessions}>
                {(session) => <SessionRow session={session} onRevoked={read.refetch} />}
              </For>
            </PlainTable>
            <MoreRows nextPageToken={answer().nextPageToken} />
          </>
        )}
      </QueryView>
    </Section>
  );
}

function SessionRow(props: { session: Session; onRevoked: () => void }): JSX.Element {
  const { clients } = useApi();
  const action = createAction();
  const revoke = async (): Promise<void> => {
    if (await action.run(() => clients.profile.revokeSession({ id: props.session.id }))) {
      props.onRevoked();
    }
  };
  return (
    <tr>
      <td>
        {deviceOf(props.session.userAgent)}{" "}
        <Show when={props.session.current}>
          <Badge tone="ok">this one</Badge>
        </Show>
        <p class="cell-note">{props.session.ipAddress || "unknown address"}</p>
        <Show when={action.error()}>
          <p class="field-note" data-error="" role="alert">
            {action.error()}
          </p>
        </Show>
      </td>
      <td>
        <Ago ms={millisOf(props.session.lastUsedTime)} now={Date.now()} />
      </td>
      <td>
        <Ago ms={millisOf(props.session.createTime)} now={Date.now()} />
      </td>
      <td>
        <div class="row-actions">
          <Show when={!props.session.current}>
            <Button loading={action.busy()} onClick={() => void revoke()}>
              End session
            </Button>
          </Show>
        </div>
      </td>
    </tr>
  );
}

const browsers: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const systems: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Windows/, "Windows"],
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** A user agent in words; what is not known is shown as it is. */
export function deviceOf(userAgent: string): string {
  const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1];
  if (browser !== undefined && system !== undefined) return `${browser} on ${system}`;
  return userAgent === "" ? "Unknown program" : userAgent.slice(0, 60);
}
