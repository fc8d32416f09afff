import { useSearchParams } from "@solidjs/router";
import Plus from "lucide-solid/icons/plus";
import { createMemo, createSignal, For, Match, Switch, type JSX } from "solid-js";
import { unwrap } from "solid-js/store";

import type { Node } from "#gen/vectorflow/v1/node_pb.ts";

import { plural } from "../lib/format.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Button, LinkButton } from "../ui/button.tsx";
import { DataTable } from "../ui/data-table.tsx";
import { EmptyState, Skeleton } from "../ui/feedback.tsx";
import { PageHeader } from "../ui/page.tsx";
import { hostColumns } from "./host-columns.tsx";
import { countStates, hostStates, selectHosts, type HostQuery } from "./host-state.ts";
import { createSteadyOrder } from "./steady-order.ts";

import "./fleet.css";

/** Every host of the environment, live. Filter and order are in the address. */
export function HostListPage(): JSX.Element {
  const environment = useEnvironment();
  const live = useLive();
  const [params, setParams] = useSearchParams();
  const [hovered, setHovered] = createSignal(false);
  const query = createMemo((): HostQuery => ({
    text: String(params["q"] ?? ""),
    states: new Set(
      String(params["state"] ?? "")
        .split(",")
        .filter(Boolean),
    ),
    column: String(params["sort"] ?? "name"),
    descending: params["order"] === "desc",
  }));
  // Plain objects: walking thousands of store proxies costs fifty times as much.
  const hosts = (): readonly Node[] => Object.values(unwrap(live.data.hosts));
  const ids = createSteadyOrder({
    compute: () => selectHosts(hosts(), query()),
    immediate: () => [query(), live.data.hostsVersion],
    frozen: hovered,
  });
  const counts = createMemo(() => {
    void live.data.version;
    return countStates(hosts());
  });
  const total = (): number => Object.values(counts()).reduce((sum, count) => sum + count, 0);
  const replace = (next: Record<string, string | undefined>): void =>
    setParams(next, { replace: true, scroll: false });
  const addHref = environment.path("hosts", "add");

  return (
    <div class="page page-fill">
      <PageHeader
        title="Hosts"
        actions={
          <LinkButton href={addHref} variant="primary">
            <Plus size={14} aria-hidden="true" /> Add a host
          </LinkButton>
        }
      />
      <Switch>
        <Match when={!live.data.synced}>
          <Skeleton rows={8} />
        </Match>
        <Match when={total() === 0}>
          <EmptyState
            title="No hosts yet"
            actions={
              <LinkButton href={addHref} variant="primary">
                Add a host
              </LinkButton>
            }
          >
            A host is a machine with an agent, which runs Vector as this server says. Adding one
            takes a single command.
          </EmptyState>
        </Match>
        <Match when={total() > 0}>
          <div class="filter-bar">
            <input
              type="search"
              class="input filter-text"
              aria-label="Filter hosts"
              placeholder="Filter by name, OS, version, label=value"
              value={query().text}
              onInput={(event) => replace({ q: event.currentTarget.value || undefined })}
            />
            <StateChips
              counts={counts()}
              chosen={query().states}
              onChosen={(states) => replace({ state: [...states].join(",") || undefined })}
            />
            <span class="filter-count muted" role="status">
              {ids().length === total()
                ? plural(total(), "host")
                : `${ids().length} of ${plural(total(), "host")}`}
            </span>
          </div>
          <DataTable
            label="Hosts"
            ids={ids()}
            row={live.host}
            columns={hostColumns({
              hrefOf: (id) => environment.path("hosts", id),
              now: live.now,
            })}
            sort={{ column: query().column, descending: query().descending }}
            onSort={({ column, descending }) =>
              replace({
                sort: column === "name" ? undefined : column,
                order: descending ? "desc" : undefined,
              })
            }
            onHover={setHovered}
            stale={live.stale()}
          />
          <NoMatch
            when={ids().length === 0}
            onClear={() => replace({ q: undefined, state: undefined })}
          />
        </Match>
      </Switch>
    </div>
  );
}

function NoMatch(props: { when: boolean; onClear: () => void }): JSX.Element {
  return (
    <Switch>
      <Match when={props.when}>
        <EmptyState
          title="No host matches the filter"
          actions={<Button onClick={() => props.onClear()}>Clear filters</Button>}
        />
      </Match>
    </Switch>
  );
}

function StateChips(props: {
  counts: Record<string, number>;
  chosen: ReadonlySet<string>;
  onChosen: (chosen: ReadonlySet<string>) => void;
}): JSX.Element {
  const toggle = (id: string): void => {
    props.onChosen(props.chosen.symmetricDifference(new Set([id])));
  };
  return (
    <div class="chips" role="group" aria-label="Filter by state">
      <For each={hostStates}>
        {(state) => (
          <button
            type="button"
            class="chip"
            data-tone={state.tone}
            data-zero={props.counts[state.id] === 0 ? "" : undefined}
            aria-pressed={props.chosen.has(state.id)}
            onClick={() => toggle(state.id)}
          >
            <span class="chip-dot" aria-hidden="true" />
            {state.word} <b>{props.counts[state.id]}</b>
          </button>
        )}
      </For>
    </div>
  );
}
