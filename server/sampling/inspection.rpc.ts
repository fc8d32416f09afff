import type { ServiceImpl } from "@connectrpc/connect";
import type { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isTimePlace, pageOf, pageSize } from "../rpc/page-token.ts";
import { editorLife } from "./editor-life.ts";
import { sampleToProto } from "./inspection-proto.ts";
import { readRedaction, setRedaction } from "./redaction.ts";
import { listSamples, readComponentSamples, readSample, requestSample } from "./samples.ts";
import { startTap } from "./tap-events.ts";
import { controlTerminal, openTerminal } from "./terminals.ts";

const quietMs = 10_000;

export function inspectionRpc(deps: ServerDeps): ServiceImpl<typeof InspectionService> {
  return {
    async sampleEvents(request, ctx) {
      return { sample: sampleToProto(await requestSample(callScope(deps, ctx), request)) };
    },
    async getSample(request, ctx) {
      const scope = callScope(deps, ctx);
      const sample = await readSample(scope, request.pipelineId, request.id);
      return { sample: sampleToProto(sample, await readComponentSamples(scope, sample.id)) };
    },
    async listSamples(request, ctx) {
      const size = pageSize(request.pageSize, 20, 100);
      const before = decodePageToken(request.pageToken, isTimePlace);
      const scope = callScope(deps, ctx);
      const rows = await listSamples(scope, request.pipelineId, before, size + 1);
      const { page, nextPageToken } = pageOf(rows, size, ({ createdAt, id }) => [
        createdAt.getTime(),
        id,
      ]);
      return { samples: page.map((sample) => sampleToProto(sample)), nextPageToken };
    },
    async *tapEvents(request, ctx) {
      using life = editorLife(deps, ctx, request.pipelineId);
      using tap = await startTap(callScope(deps, ctx), deps.hub, request);
      while (!life.signal.aborted) {
        const { items, dropped, end } = await tap.queue.take(quietMs, life.signal);
        const events = items.filter((item) => item !== "started");
        yield {
          started: items.includes("started"),
          events,
          droppedEvents: BigInt(dropped),
          endedReason: end ?? "",
        };
        if (end !== undefined) return;
      }
      life.throwIfEnded();
    },
    async *openTerminal(request, ctx) {
      using life = editorLife(deps, ctx, request.pipelineId);
      using terminal = await openTerminal(callScope(deps, ctx), deps.hub, request);
      yield { terminalId: terminal.terminalId };
      while (!life.signal.aborted) {
        const { items, end } = await terminal.queue.take(quietMs, life.signal);
        yield {
          opened: items.includes("opened"),
          content: Buffer.concat(items.filter((item) => item !== "opened")),
          endedReason: end ?? "",
        };
        if (end !== undefined) return;
      }
      life.throwIfEnded();
    },
    async controlTerminal(request, ctx) {
      await controlTerminal(callScope(deps, ctx), deps.hub, request);
      return {};
    },
    async getRedaction(request, ctx) {
      const redaction = await readRedaction(callScope(deps, ctx), request.environmentId);
      return { redaction: toProto(redaction) };
    },
    async setRedaction(request, ctx) {
      const rules = {
        fieldGlobs: request.redaction?.fieldGlobs ?? [],
        valuePatterns: request.redaction?.valuePatterns ?? [],
      };
      const redaction = await setRedaction(callScope(deps, ctx), request.environmentId, rules);
      return { redaction: toProto(redaction) };
    },
  };
}

function toProto(rules: {
  readonly fieldGlobs: readonly string[];
  readonly valuePatterns: readonly string[];
}): { fieldGlobs: string[]; valuePatterns: string[] } {
  return { fieldGlobs: [...rules.fieldGlobs], valuePatterns: [...rules.valuePatterns] };
}
