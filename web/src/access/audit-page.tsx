import { useSearchParams } from "@solidjs/router";
import { createSignal, For, Show, type JSX } from "solid-js";

import type { AuditEntry, FieldChange } from "#gen/vectorflow/v1/audit_pb.ts";
import { AuditService, ExportFormat } from "#gen/vectorflow/v1/audit_service_pb.ts";

import { formatAbsolute, millisOf } from "../lib/time.ts";
import { useRead } from "../state/create-read.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { PageHeader, Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { AuditExport } from "./audit-export.tsx";
import { AuditFilters, filterOf } from "./audit-filters.tsx";

import "./audit.css";

/** What was done, by whom, and from where. */
export function AuditPage(): JSX.Element {
  const [params, setParams] = useSearchParams();
  const page = (): string => (typeof params["page"] === "string" ? params["page"] : "");
  const read = useRead(
    AuditService.method.listAuditEntries,
    () => ({ filter: filterOf(params), pageToken: page() }),
    { keepPrevious: true, staleTime: 0 },
  );
  return (
    <div class="page">
      <PageHeader
        title="Audit"
        actions={
          <>
            <AuditExport filter={filterOf(params)} format={ExportFormat.CSV} label="Export CSV" />
            <AuditExport
              filter={filterOf(params)}
              format={ExportFormat.JSON_LINES}
              label="Export JSON lines"
            />
          </>
        }
      />
      <Section title="Filter">
        <AuditFilters />
      </Section>
      <Section
        title={page() === "" ? "The newest first" : "Older rows"}
        flush
        actions={
          <Show when={page() !== ""}>
            <Button onClick={() => setParams({ page: undefined })}>Newest</Button>
          </Show>
        }
      >
        <QueryView read={read} skeletonRows={8}>
          {(answer) => (
            <Show
              when={answer().entries.length > 0}
              fallback={
                <EmptyState title="Nothing matches">
                  You see the rows of teams that you are an admin of.
                </EmptyState>
              }
            >
              <ol class="audit-list" aria-label="Audit rows">
                <For each={answer().entries}>{(entry) => <AuditRow entry={entry} />}</For>
              </ol>
              <Show when={answer().nextPageToken}>
                {(next) => (
                  <div class="section-body">
                    <Button onClick={() => setParams({ page: next() })}>Older</Button>
                  </div>
                )}
              </Show>
            </Show>
          )}
        </QueryView>
      </Section>
    </div>
  );
}

function AuditRow(props: { entry: AuditEntry }): JSX.Element {
  const [open, setOpen] = createSignal(false);
  const who = (): string => props.entry.userName || props.entry.userEmail || "System";
  return (
    <li class="audit-row">
      <button
        type="button"
        class="audit-summary"
        aria-expanded={open()}
        onClick={() => setOpen(!open())}
      >
        <span class="audit-time">{formatAbsolute(millisOf(props.entry.createTime) ?? 0)}</span>
        <code>{props.entry.action}</code>
        <span>{who()}</span>
        <span class="muted">
          {props.entry.entityType} {props.entry.entityId}
        </span>
      </button>
      <Show when={open()}>
        <AuditDetails entry={props.entry} />
      </Show>
    </li>
  );
}

function AuditDetails(props: { entry: AuditEntry }): JSX.Element {
  const facts = (): readonly (readonly [string, string])[] =>
    (
      [
        ["Row", String(props.entry.sequence)],
        ["E-mail", props.entry.userEmail],
        ["Address", props.entry.ipAddress],
        ["Team", props.entry.teamId],
        ["Environment", props.entry.environmentId],
      ] as const
    ).filter(([, value]) => value !== "");
  return (
    <div class="audit-details">
      <dl class="facts">
        <For each={facts()}>
          {([name, value]) => (
            <div>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          )}
        </For>
      </dl>
      <Show when={props.entry.changes.length > 0}>
        <dl class="audit-changes" aria-label="Changes">
          <For each={props.entry.changes}>{(change) => <Change change={change} />}</For>
        </dl>
      </Show>
      <Show when={props.entry.metadataJson}>
        <pre class="audit-json">{pretty(props.entry.metadataJson)}</pre>
      </Show>
    </div>
  );
}

function Change(props: { change: FieldChange }): JSX.Element {
  return (
    <div>
      <dt>{props.change.field}</dt>
      <dd>
        <del>{props.change.beforeJson}</del> <span aria-hidden="true">→</span>{" "}
        <ins>{props.change.afterJson}</ins>
      </dd>
    </div>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}
