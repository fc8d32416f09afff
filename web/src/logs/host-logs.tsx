import { createMemo, createSignal, Show, type JSX } from "solid-js";

import type { LogLine } from "#gen/vectorflow/v1/log_pb.ts";

import { useApi } from "../state/api.tsx";
import { createRead } from "../state/create-read.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { LogFilters, useLogFilters } from "./log-filters.tsx";
import { LogList } from "./log-list.tsx";

const refreshMs = 5_000;
const pageSize = 200;

/** The stored lines of everything that runs on one host, refreshed every few seconds. */
export function HostLogs(props: { hostId: string }): JSX.Element {
  const { clients } = useApi();
  const filters = useLogFilters();
  const [pages, setPages] = createSignal(1);
  const read = createRead(() => {
    const request = {
      nodeId: props.hostId,
      minimumLevel: filters.level().level,
      search: filters.search(),
      // The server's largest page is 1 000 lines.
      pageSize: Math.min(1_000, pageSize * pages()),
    };
    return {
      queryKey: ["host-logs", request],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        clients.logs.listNodeLogs(request, { signal }),
      refetchInterval: refreshMs,
      keepPrevious: true,
    };
  });
  const lines = createMemo((): readonly LogLine[] => read.data()?.lines.toReversed() ?? []);
  const hasOlder = (): boolean =>
    (read.data()?.nextPageToken ?? "") !== "" && pages() < 1_000 / pageSize;
  return (
    <Section
      title="Log"
      flush
      actions={
        <LogFilters>
          <Show when={hasOlder()}>
            <Button loading={read.fetching()} onClick={() => setPages((count) => count + 1)}>
              Load older
            </Button>
          </Show>
        </LogFilters>
      }
    >
      <QueryView read={read} skeletonRows={8}>
        {() => (
          <Show
            when={lines().length > 0}
            fallback={
              <EmptyState title="No lines">
                Nothing on this host said anything that matches.
              </EmptyState>
            }
          >
            <LogList lines={lines()} showHost={false} />
          </Show>
        )}
      </QueryView>
    </Section>
  );
}
