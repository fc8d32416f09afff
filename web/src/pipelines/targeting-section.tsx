import { createSignal, Show, type JSX } from "solid-js";

import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { Notice } from "../ui/feedback.tsx";
import { Select } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { Facts, Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { LimitsDialog, limitsText } from "./limits-dialog.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { SelectorDialog } from "./selector-dialog.tsx";

const levels = [
  { value: "error", label: "error" },
  { value: "warn", label: "warn" },
  { value: "info", label: "info" },
  { value: "debug", label: "debug" },
  { value: "trace", label: "trace" },
] as const;

/** Which hosts the pipeline is for, and how much Vector logs there. Neither waits for a deploy. */
export function TargetingSection(): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const action = createAction();
  const [editing, setEditing] = createSignal(false);
  const [limiting, setLimiting] = createSignal(false);
  const read = useRead(DeliveryService.method.getDelivery, () => ({ pipelineId: pipeline.id }), {
    staleTime: 0,
  });
  const setLevel = async (logLevel: string): Promise<void> => {
    const request = { pipelineId: pipeline.id, logLevel };
    const done = await action.run(() => clients.delivery.setLogLevel(request));
    if (done) showToast(`The log level is ${logLevel}`);
    read.refetch();
  };
  return (
    <Section
      title="Targets"
      actions={
        <Show when={environment.canEdit()}>
          <Button onClick={() => setLimiting(true)}>Limit</Button>
          <Button onClick={() => setEditing(true)}>Choose hosts</Button>
        </Show>
      }
    >
      <QueryView read={read} skeletonRows={2}>
        {(answer) => (
          <>
            <Show when={answer().problem}>
              {(problem) => (
                <Notice tone="bad">
                  Hosts keep what they run and get nothing newer: {problem()}.
                </Notice>
              )}
            </Show>
            <Facts
              facts={[
                ["Runs on", <span>{answer().selectorText}</span>],
                [
                  "Log level",
                  <Show when={environment.canEdit()} fallback={<span>{answer().logLevel}</span>}>
                    <Select
                      label="Log level"
                      value={
                        levels.find(({ value }) => value === answer().logLevel)?.value ?? "info"
                      }
                      options={levels}
                      onValue={(level) => void setLevel(level)}
                    />
                  </Show>,
                ],
                ["Limits", <span>{limitsText(answer().limits)}</span>],
              ]}
            />
            <FormError text={action.error()} />
            <Show when={limiting()}>
              <LimitsDialog
                delivery={answer()}
                onClose={() => setLimiting(false)}
                onSaved={() => {
                  setLimiting(false);
                  read.refetch();
                }}
              />
            </Show>
            <Show when={editing()}>
              <SelectorDialog
                delivery={answer()}
                onClose={() => setEditing(false)}
                onSaved={() => {
                  setEditing(false);
                  read.refetch();
                }}
              />
            </Show>
          </>
        )}
      </QueryView>
    </Section>
  );
}
