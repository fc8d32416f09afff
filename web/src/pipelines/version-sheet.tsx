import { useSearchParams } from "@solidjs/router";
import { createSignal, lazy, Match, Show, Switch, type JSX } from "solid-js";

import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select } from "../ui/field.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { usePipeline } from "./pipeline-context.tsx";

const DiffView = lazy(async () => ({ default: (await import("./editor/diff-view.tsx")).DiffView }));
const YamlEditor = lazy(async () => ({
  default: (await import("./editor/yaml-editor.tsx")).YamlEditor,
}));

type Against = "none" | "deployed" | "previous" | "draft";

/** One version's text, alone or beside another. */
export function VersionSheet(props: {
  version: number;
  onRollback: (version: number) => void;
}): JSX.Element {
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const [, setParams] = useSearchParams();
  const [against, setAgainst] = createSignal<Against>("none");
  const close = (): void => {
    setParams({ version: undefined }, { scroll: false });
  };
  const read = useRead(PipelineService.method.getVersion, () => ({
    pipelineId: pipeline.id,
    version: props.version,
  }));
  const otherNumber = (): number | undefined => {
    if (against() === "previous") return props.version > 1 ? props.version - 1 : undefined;
    if (against() === "deployed") return pipeline.live().summary?.deployedVersion || undefined;
    return undefined;
  };
  const other = useRead(PipelineService.method.getVersion, () => {
    const version = otherNumber();
    return version === undefined ? undefined : { pipelineId: pipeline.id, version };
  });
  const otherText = (): string =>
    against() === "draft" ? pipeline.draft.text() : (other.data()?.version?.configYaml ?? "");
  const otherLabel = (): string => (against() === "draft" ? "Draft" : `v${otherNumber() ?? 0}`);
  const current = (): boolean => pipeline.live().summary?.deployedVersion === props.version;

  return (
    <Dialog
      sheet
      open
      onOpenChange={close}
      title={`Version ${props.version}`}
      footer={
        <>
          <Show when={environment.canEdit() && !current()}>
            <Button onClick={() => props.onRollback(props.version)}>Roll back</Button>
          </Show>
          <Button onClick={close}>Close</Button>
        </>
      }
    >
      <QueryView read={read}>
        {(answer) => (
          <>
            <div class="inline">
              <Select
                label="Compare with"
                value={against()}
                onValue={setAgainst}
                options={[
                  { value: "none", label: "Text only" },
                  { value: "previous", label: "Compare with the version before" },
                  { value: "deployed", label: "Compare with what is deployed" },
                  { value: "draft", label: "Compare with the draft" },
                ]}
              />
              <span class="muted">{answer().version?.changelog}</span>
            </div>
            <Switch>
              <Match when={against() === "none"}>
                <div class="editor-frame">
                  <YamlEditor
                    label={`Version ${props.version} YAML`}
                    text={answer().version?.configYaml ?? ""}
                    readOnly
                  />
                </div>
              </Match>
              <Match when={against() !== "none"}>
                <DiffView
                  before={otherText()}
                  after={answer().version?.configYaml ?? ""}
                  beforeLabel={otherLabel()}
                  afterLabel={`v${props.version}`}
                />
              </Match>
            </Switch>
          </>
        )}
      </QueryView>
    </Dialog>
  );
}
