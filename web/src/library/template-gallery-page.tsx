import { useSearchParams } from "@solidjs/router";
import { createMemo, createSignal, For, Show, type JSX } from "solid-js";

import type { Template } from "#gen/vectorflow/v1/template_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";

import { useReadAll } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useClient } from "../state/use-client.ts";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { PageHeader } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { EditTemplate } from "./edit-template.tsx";
import { UseTemplate } from "./use-template.tsx";

import "../secrets/secrets.css";
import "./library.css";

/** Pipelines to start from: those of the team, and those that ship. */
export function TemplateGalleryPage(): JSX.Element {
  const environment = useEnvironment();
  const [params, setParams] = useSearchParams();
  const teamId = (): string => environment.environment()?.teamId ?? "";
  const read = useReadAll(TemplateService.method.listTemplates, () => ({ teamId: teamId() }), {
    staleTime: 0,
  });
  const category = (): string => String(params["category"] ?? "");
  const categories = createMemo(() =>
    [...new Set((read.data()?.templates ?? []).map((template) => template.category))]
      .filter((name) => name !== "")
      .toSorted(),
  );
  const shown = (templates: readonly Template[]): readonly Template[] =>
    templates.filter((template) => category() === "" || template.category === category());
  const choose = (name: string): void => {
    setParams({ category: name === "" ? undefined : name }, { replace: true, scroll: false });
  };
  return (
    <div class="page">
      <PageHeader
        title="Templates"
        parent={{ label: "Pipelines", href: environment.path("pipelines") }}
      />
      <QueryView read={read} skeletonRows={6}>
        {(answer) => (
          <>
            <div class="category-bar" role="group" aria-label="Category">
              <For each={["", ...categories()]}>
                {(name) => (
                  <Button
                    variant={category() === name ? "primary" : "secondary"}
                    aria-pressed={category() === name}
                    onClick={() => choose(name)}
                  >
                    {name === "" ? "All" : name}
                  </Button>
                )}
              </For>
            </div>
            <Show
              when={shown(answer().templates).length > 0}
              fallback={
                <EmptyState title="No templates of this category">
                  Save a pipeline as a template on its own page.
                </EmptyState>
              }
            >
              <ul class="template-grid">
                <For each={shown(answer().templates)}>
                  {(template) => (
                    <TemplateCard
                      template={template}
                      teamId={teamId()}
                      onChanged={() => read.refetch()}
                    />
                  )}
                </For>
              </ul>
              <MoreRows nextPageToken={answer().nextPageToken} />
            </Show>
          </>
        )}
      </QueryView>
    </div>
  );
}

function TemplateCard(props: {
  template: Template;
  teamId: string;
  onChanged: () => void;
}): JSX.Element {
  const templates = useClient(TemplateService);
  const environment = useEnvironment();
  const action = createAction();
  const [asking, setAsking] = createSignal<"use" | "edit" | "delete">();
  const name = (): string => props.template.name;
  const close = (open: boolean): void => {
    if (!open) setAsking(undefined);
  };
  const done = (text: string): void => {
    setAsking(undefined);
    showToast(text);
    props.onChanged();
  };
  const remove = async (): Promise<void> => {
    const request = { teamId: props.teamId, id: props.template.id };
    if (await action.run(() => templates.deleteTemplate(request))) {
      done(`The template ${name()} was deleted`);
    }
  };
  return (
    <li class="template-card">
      <h2>{name()}</h2>
      <p class="muted">{props.template.description}</p>
      <p class="template-types">
        <For each={props.template.componentTypes}>{(type) => <code>{type}</code>}</For>
      </p>
      <p class="field-note">
        {[
          props.template.category,
          props.template.builtIn ? "ships with VectorFlow" : "of your team",
        ]
          .filter((part) => part !== "")
          .join(" · ")}
      </p>
      <Show when={environment.canEdit()}>
        <div class="template-actions">
          <Button variant="primary" aria-label={`Use ${name()}`} onClick={() => setAsking("use")}>
            Use
          </Button>
          <Show when={!props.template.builtIn}>
            <Button aria-label={`Edit ${name()}`} onClick={() => setAsking("edit")}>
              Edit
            </Button>
            <Button
              aria-label={`Delete ${name()}`}
              onClick={() => {
                action.reset();
                setAsking("delete");
              }}
            >
              Delete
            </Button>
          </Show>
        </div>
        <UseTemplate template={props.template} open={asking() === "use"} onOpenChange={close} />
        <EditTemplate
          template={props.template}
          teamId={props.teamId}
          open={asking() === "edit"}
          onOpenChange={close}
          onDone={done}
        />
        <ConfirmDialog
          open={asking() === "delete"}
          onOpenChange={close}
          title={`Delete the template ${name()}?`}
          confirmLabel="Delete template"
          busy={action.busy()}
          error={action.error()}
          onConfirm={() => void remove()}
        >
          <p>Pipelines that were made from it stay.</p>
        </ConfirmDialog>
      </Show>
    </li>
  );
}
