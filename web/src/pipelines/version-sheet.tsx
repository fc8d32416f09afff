import { useSearchParams } from "@solidjs/router";
import { createSignal, lazy, Show, type JSX } from "solid-js";

import type { PipelineVersion } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { PreviewService } from "#gen/vectorflow/v1/preview_service_pb.ts";

import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select } from "../ui/field.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { ConfigChanges } from "./config-changes.tsx";
import { ExportDialog } from "./export-dialog.tsx";
import { usePipeline } from "./pipeline-context.tsx";

const DiffView = lazy(async () => ({ default: (await import("./editor/diff-view.tsx")).DiffView }));
const YamlEditor = lazy(async () => ({
  default: (await import("./editor/yaml-editor.tsx")).YamlEditor,
}));

/** "none", "draft", or the number of a version. */
type Against = string;

/** One version's text, alone or beside any other version or the draft. */
export function VersionSheet(props: {
  version: number;
  onRollback: (version: number) => void;
}): JSX.Element {
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const [params, setParams] = useSearchParams();
  const [exporting, setExporting] = createSignal(false);
  const against = (): Against => String(params["with"] ?? "none");
  const close = (): void => {
    setParams({ version: undefined, with: undefined }, { scroll: false });
  };
  const read = useRead(PipelineService.method.getVersion, () => ({
    pipelineId: pipeline.id,
    version: props.version,
  }));
  // As many as one page has: older ones can be named in the address.
  const versions = useRead(PipelineService.method.listVersions, () => ({
    pipelineId: pipeline.id,
    pageSize: 100,
  }));
  const deployed = (): number => pipeline.live().summary?.deployedVersion ?? 0;
  const current = (): boolean => deployed() === props.version;
  const options = (): { value: Against; label: string }[] => {
    const others = (versions.data()?.versions ?? []).filter(
      ({ version }) => version !== props.version,
    );
    const chosen = against();
    const known = others.some(({ version }) => String(version) === chosen);
    return [
      { value: "none", label: "Text only" },
      { value: "draft", label: "Compare with the draft" },
      ...others.map((version) => ({
        value: String(version.version),
        label: `Compare with ${labelOf(version, deployed())}`,
      })),
      ...(known || !/^\d+$/.test(chosen)
        ? []
        : [{ value: chosen, label: `Compare with v${chosen}` }]),
    ];
  };

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
          <Button onClick={() => setExporting(true)}>Export…</Button>
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
                onValue={(value) =>
                  setParams({ with: value === "none" ? undefined : value }, { scroll: false })
                }
                options={options()}
              />
              <span class="muted">{answer().version?.changelog}</span>
            </div>
            <Show
              when={against() !== "none"}
              fallback={
                <div class="editor-frame">
                  <YamlEditor
                    label={`Version ${props.version} YAML`}
                    text={answer().version?.configYaml ?? ""}
                    readOnly
                  />
                </div>
              }
            >
              <Comparison version={props.version} against={against()} />
            </Show>
          </>
        )}
      </QueryView>
      <Show when={exporting()}>
        <ExportDialog version={props.version} onClose={() => setExporting(false)} />
      </Show>
    </Dialog>
  );
}

function labelOf({ version, changelog }: PipelineVersion, deployed: number): string {
  const state = version === deployed ? ", deployed" : "";
  const why = changelog === "" ? "" : `: ${changelog.slice(0, 40)}`;
  return `v${version}${state}${why}`;
}

/** The older of the two is on the left; the draft is the newest of all. */
function Comparison(props: { version: number; against: Against }): JSX.Element {
  const pipeline = usePipeline();
  const sides = (): readonly [number, number] => {
    if (props.against === "draft") return [props.version, 0];
    const other = Number(props.against);
    return other < props.version ? [other, props.version] : [props.version, other];
  };
  const read = useRead(
    PreviewService.method.compareVersions,
    () => ({ pipelineId: pipeline.id, fromVersion: sides()[0], toVersion: sides()[1] }),
    // The draft may have been saved since.
    { staleTime: 0 },
  );
  const nameOf = (version: number): string => (version === 0 ? "Draft" : `v${version}`);
  return (
    <QueryView read={read}>
      {(answer) => (
        <>
          <h3>
            From {nameOf(sides()[0])} to {nameOf(sides()[1]).toLowerCase()}
          </h3>
          <ConfigChanges changes={answer()} empty="No component differs." />
          <DiffView
            before={answer().fromYaml}
            after={answer().toYaml}
            beforeLabel={nameOf(sides()[0])}
            afterLabel={nameOf(sides()[1])}
          />
        </>
      )}
    </QueryView>
  );
}
