import { type JSX } from "solid-js";

import type { GetDeliveryResponse } from "#gen/vectorflow/v1/delivery_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { usePipeline } from "./pipeline-context.tsx";

const numberOf = (text: string): number => (text.trim() === "" ? 0 : Number(text.trim()));

/** The limits in a few words. */
export function limitsText(limits: GetDeliveryResponse["limits"]): string {
  const parts = [
    ...(limits !== undefined && limits.memoryMib > 0 ? [`${limits.memoryMib} MiB of memory`] : []),
    ...(limits !== undefined && limits.cpuCores > 0 ? [`${limits.cpuCores} cores`] : []),
  ];
  return parts.length === 0 ? "none" : parts.join(", ");
}

/** Sets how much of a host each of the pipeline's processes may use. */
export function LimitsDialog(props: {
  delivery: GetDeliveryResponse;
  onClose: () => void;
  onSaved: () => void;
}): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const shown = (value: number | undefined): string =>
    value === undefined || value === 0 ? "" : String(value);
  const form = createForm({
    initial: {
      memory: shown(props.delivery.limits?.memoryMib),
      cpu: shown(props.delivery.limits?.cpuCores),
    },
    wire: { memory: "limits.memory_mib", cpu: "limits.cpu_cores" },
    validate: (values) => ({
      ...(!Number.isInteger(numberOf(values.memory)) && { memory: "Give a whole number of MiB." }),
      ...(!Number.isFinite(numberOf(values.cpu)) && { cpu: "Give a number of cores, as in 1.5." }),
    }),
    async submit(values) {
      await clients.delivery.setLimits({
        pipelineId: pipeline.id,
        limits: { memoryMib: numberOf(values.memory), cpuCores: numberOf(values.cpu) },
      });
      props.onSaved();
    },
  });
  return (
    <Dialog open onOpenChange={(open) => !open && props.onClose()} title="Limit each process">
      <form class="stack" onSubmit={form.onSubmit} novalidate>
        <p class="muted">
          Holds at once and restarts nothing. A process that wants more memory is ended by its host
          and started again. Hosts that cannot hold limits say so.
        </p>
        <TextField
          label="Memory in MiB"
          hint="Empty for no limit; at least 64."
          value={form.values.memory}
          onValue={(value) => form.set("memory", value)}
          error={form.error("memory")}
          autocomplete="off"
        />
        <TextField
          label="CPU in cores"
          hint="Empty for no limit; 0.5 is half a core."
          value={form.values.cpu}
          onValue={(value) => form.set("cpu", value)}
          error={form.error("cpu")}
          autocomplete="off"
        />
        <FormError text={form.formError()} />
        <div class="form-actions">
          <Button type="submit" variant="primary" loading={form.submitting()}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
