import type { MessageInitShape } from "@bufbuild/protobuf";
import { SampleState, type SampleSchema } from "#gen/vectorflow/v1/inspection_pb.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import type { ComponentSampleView, SampleStatus, SampleView } from "./samples.ts";

const states: Readonly<Record<SampleStatus, SampleState>> = {
  PENDING: SampleState.PENDING,
  COMPLETED: SampleState.COMPLETED,
  ERROR: SampleState.ERROR,
  EXPIRED: SampleState.EXPIRED,
};

export function sampleToProto(
  sample: SampleView,
  components: readonly ComponentSampleView[] = [],
): MessageInitShape<typeof SampleSchema> {
  const expired = sample.status === "EXPIRED" ? "the host did not answer in time" : "";
  return {
    id: sample.id,
    pipelineId: sample.pipelineId,
    nodeId: sample.nodeId ?? "",
    nodeName: sample.nodeName ?? "",
    componentKeys: [...sample.componentKeys],
    limit: sample.limit,
    state: states[sample.status],
    error: sample.error ?? expired,
    ...optionalTime("requestTime", sample.createdAt),
    ...optionalTime("completeTime", sample.completedAt),
    requestedBy: sample.requestedBy ?? "",
    components: components.map(({ componentKey, events, schema, error }) => ({
      componentKey,
      events: [...events],
      fields: schema.map((field) => ({ ...field, types: [...field.types] })),
      error: error ?? "",
    })),
  };
}
