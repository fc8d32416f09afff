import { For, Show, type JSX } from "solid-js";

import { EnrollmentRefusal } from "#gen/vectorflow/v1/environment_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";

import { millisOf } from "../lib/time.ts";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Ago } from "../ui/ago.tsx";
import { Section } from "../ui/page.tsx";
import { createPages, Pager } from "../ui/pager.tsx";
import { QueryView } from "../ui/query-view.tsx";

import "../ui/plain-table.css";

const pageSize = 10;
/** Refusals of tokens that nobody knows belong to no environment, so that no stream tells of them. */
const refreshMs = 10_000;

/** Hosts that tried to enrol and were refused: why nothing arrives. For admins of the team. */
export function RefusedEnrollments(): JSX.Element {
  const environment = useEnvironment();
  const live = useLive();
  const pages = createPages();
  const read = useRead(
    EnvironmentService.method.listRefusedEnrollments,
    () =>
      environment.canAdmin()
        ? { environmentId: environment.id(), pageSize, pageToken: pages.token() }
        : undefined,
    { refetchInterval: refreshMs, keepPrevious: true },
  );
  return (
    <Show when={(read.data()?.refusals.length ?? 0) > 0 || read.error()}>
      <Section title="Refused in the last 24 hours" flush>
        <QueryView read={read}>
          {(answer) => (
            <>
              <div class="plain-table-scroll">
                <table class="plain-table">
                  <thead>
                    <tr>
                      <th scope="col">When</th>
                      <th scope="col">Host</th>
                      <th scope="col">Address</th>
                      <th scope="col">Reason</th>
                    </tr>
                  </thead>
                  <tbody>
                    <For each={answer().refusals}>
                      {(refusal) => (
                        <tr>
                          <td>
                            <Ago ms={millisOf(refusal.time)} now={live.now()} />
                          </td>
                          <th scope="row">{refusal.hostname || "–"}</th>
                          <td>{refusal.ipAddress || "–"}</td>
                          <td>{reasonText(refusal.reason)}</td>
                        </tr>
                      )}
                    </For>
                  </tbody>
                </table>
              </div>
              <Pager
                pages={pages}
                nextPageToken={answer().nextPageToken}
                loading={read.fetching()}
              />
            </>
          )}
        </QueryView>
      </Section>
    </Show>
  );
}

function reasonText(reason: EnrollmentRefusal): string {
  switch (reason) {
    case EnrollmentRefusal.TOKEN_REPLACED:
      return "Its token was replaced by a newer one, or copied incompletely. Run the current command there.";
    case EnrollmentRefusal.TOKEN_UNKNOWN:
      return "No environment has such a token. Run the current command there.";
    default:
      return "Refused.";
  }
}
