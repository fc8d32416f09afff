import { useNavigate, useSearchParams } from "@solidjs/router";
import { For, lazy, type JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button, LinkButton } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { PageHeader, Section } from "../ui/page.tsx";
import { blankYaml, demoYaml } from "./templates.ts";

import "./pipelines.css";

const YamlEditor = lazy(async () => ({
  default: (await import("./editor/yaml-editor.tsx")).YamlEditor,
}));

const starts = [
  { id: "demo", title: "Demo", text: "Made-up log events, parsed and filtered. Works anywhere." },
  { id: "blank", title: "Blank", text: "Nothing but the three sections." },
  { id: "paste", title: "Paste YAML", text: "A configuration that Vector runs already." },
] as const;

type StartId = (typeof starts)[number]["id"];

const texts: Record<StartId, string> = { demo: demoYaml, blank: blankYaml, paste: "" };

/** Creates a draft from a start that the address names. */
export function NewPipelinePage(): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const start = (): StartId => starts.find(({ id }) => id === params["from"])?.id ?? "demo";
  const form = createForm({
    initial: { name: "", description: "", yaml: texts[start()] },
    wire: { name: "name", description: "description", yaml: "yaml" },
    validate: (values) => ({
      ...(values.name.trim() === "" && { name: "Give the pipeline a name." }),
      ...(values.yaml.trim() === "" && { yaml: "Paste or write a configuration." }),
    }),
    async submit(values) {
      const { pipeline } = await clients.pipelines.createPipeline({
        environmentId: environment.id(),
        name: values.name.trim(),
        description: values.description.trim(),
        yaml: values.yaml,
      });
      navigate(`${environment.path("pipelines", pipeline?.summary?.id ?? "")}?tab=edit`);
    },
  });
  const choose = (id: StartId): void => {
    setParams({ from: id === "demo" ? undefined : id }, { replace: true, scroll: false });
    form.set("yaml", texts[id]);
  };
  const list = environment.path("pipelines");

  return (
    <form class="page" onSubmit={form.onSubmit} novalidate>
      <PageHeader title="New pipeline" parent={{ label: "Pipelines", href: list }} />
      <div class="start-cards" role="group" aria-label="Start from">
        <For each={starts}>
          {(option) => (
            <button
              type="button"
              class="start-card"
              aria-pressed={start() === option.id}
              onClick={() => choose(option.id)}
            >
              <strong>{option.title}</strong>
              <span class="muted">{option.text}</span>
            </button>
          )}
        </For>
      </div>
      <div class="two-fields">
        <TextField
          label="Name"
          value={form.values.name}
          onValue={(value) => form.set("name", value)}
          error={form.error("name")}
          autocomplete="off"
          autofocus
        />
        <TextField
          label="Description"
          value={form.values.description}
          onValue={(value) => form.set("description", value)}
          error={form.error("description")}
          autocomplete="off"
        />
      </div>
      <Section title="Configuration" flush>
        <div class="editor-frame" data-short="">
          <YamlEditor
            text={form.values.yaml}
            environmentId={environment.id()}
            onChange={(text) => form.set("yaml", text)}
          />
        </div>
      </Section>
      <FormError text={form.error("yaml") ?? form.formError()} />
      <div class="form-actions">
        <Button type="submit" variant="primary" loading={form.submitting()}>
          Create draft
        </Button>
        <LinkButton href={list}>Cancel</LinkButton>
        <span class="muted">No host sees it before you deploy it.</span>
      </div>
    </form>
  );
}
