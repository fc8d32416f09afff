import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";

import {
  SampleSchema,
  SampleState,
  type Sample,
  type TappedEvent,
} from "#gen/vectorflow/v1/inspection_pb.ts";
import { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { fakePage } from "./fake-page.ts";
import { createMailbox } from "./fake-streams.ts";
import type { FakeWorld } from "./fake-world.ts";

export const fakeInspectionService = { descriptor: InspectionService, create: createService };

type TapPart = {
  started?: boolean;
  events?: TappedEvent[];
  droppedEvents?: bigint;
  endedReason?: string;
};
type TopPart = { opened?: boolean; content?: Uint8Array; endedReason?: string };

/** What hosts would answer, and what was asked of them. */
export class FakeInspection {
  readonly samples: Sample[] = [];
  /** Events of each component, as JSON. */
  events: readonly string[] = ['{"message":"hello","status":200,"ratio":1.0}'];
  /** Why fewer came; of each component. */
  shortfall = "";
  /** While true, hosts do not answer. */
  silent = false;
  redaction = { fieldGlobs: ["owner.mail"], valuePatterns: [] as string[] };
  readonly keys: string[] = [];
  readonly sizes: string[] = [];
  readonly #taps = new Set<(part: TapPart) => void>();
  readonly #tops = new Set<(part: TopPart) => void>();

  get tapCount(): number {
    return this.#taps.size;
  }

  get topCount(): number {
    return this.#tops.size;
  }

  tap(part: TapPart): void {
    for (const put of this.#taps) put(part);
  }

  top(part: TopPart): void {
    for (const put of this.#tops) put(part);
  }

  answer(sample: Sample): void {
    if (this.silent || sample.state !== SampleState.PENDING) return;
    sample.state = SampleState.COMPLETED;
    sample.components = sample.componentKeys.map((componentKey) => ({
      $typeName: "vectorflow.v1.ComponentSample",
      componentKey,
      events: this.events.slice(0, sample.limit),
      error: this.shortfall,
      fields: [
        { $typeName: "vectorflow.v1.FieldSchema", path: ".", types: ["object"], eventCount: 1 },
        {
          $typeName: "vectorflow.v1.FieldSchema",
          path: ".status",
          types: ["integer", "string"],
          eventCount: 1,
        },
      ],
    }));
  }

  async *tapStream(signal: AbortSignal): AsyncGenerator<TapPart> {
    const mailbox = createMailbox<TapPart>(signal);
    this.#taps.add(mailbox.put);
    try {
      yield { started: true };
      for (;;) {
        const part = await mailbox.take();
        yield part;
        if (part.endedReason !== undefined) return;
      }
    } finally {
      this.#taps.delete(mailbox.put);
    }
  }

  async *topStream(signal: AbortSignal): AsyncGenerator<TopPart & { terminalId?: string }> {
    const mailbox = createMailbox<TopPart>(signal);
    this.#tops.add(mailbox.put);
    try {
      yield { terminalId: "terminal-1" };
      yield { opened: true };
      for (;;) {
        const part = await mailbox.take();
        yield part;
        if (part.endedReason !== undefined) return;
      }
    } finally {
      this.#tops.delete(mailbox.put);
    }
  }
}

function createService(world: FakeWorld): Partial<ServiceImpl<typeof InspectionService>> {
  const { inspection } = world;
  return {
    sampleEvents({ pipelineId, nodeId, componentKeys, limit }) {
      world.enter("sampleEvents");
      const sample = create(SampleSchema, {
        id: `sample-${inspection.samples.length + 1}`,
        pipelineId,
        nodeId,
        nodeName: world.hosts.get(nodeId)?.name ?? "",
        componentKeys,
        limit,
        state: SampleState.PENDING,
        requestTime: toTimestamp(Date.now()),
        requestedBy: world.user.name,
      });
      inspection.samples.unshift(sample);
      return { sample: structuredClone(sample) };
    },
    getSample({ id }) {
      world.enter("getSample");
      const sample = inspection.samples.find((candidate) => candidate.id === id);
      if (sample === undefined) throw new ConnectError(`there is no sample ${id}`, Code.NotFound);
      inspection.answer(sample);
      return { sample: structuredClone(sample) };
    },
    listSamples(request) {
      world.enter("listSamples");
      const all = inspection.samples.map((sample) => ({ ...sample, components: [] }));
      return fakePage(world, request, all, (samples) => ({ samples }));
    },
    getRedaction() {
      world.enter("getRedaction");
      return { redaction: inspection.redaction };
    },
    setRedaction({ redaction }) {
      world.enter("setRedaction");
      inspection.redaction = {
        fieldGlobs: [...(redaction?.fieldGlobs ?? [])],
        valuePatterns: [...(redaction?.valuePatterns ?? [])],
      };
      return { redaction: inspection.redaction };
    },
    tapEvents(_request, context) {
      world.enter("tapEvents");
      return inspection.tapStream(context.signal);
    },
    openTerminal({ columns, rows }, context) {
      world.enter("openTerminal");
      inspection.sizes.push(`${columns}x${rows}`);
      return inspection.topStream(context.signal);
    },
    controlTerminal({ input, columns, rows }) {
      world.enter("controlTerminal");
      if (input.length > 0) inspection.keys.push(new TextDecoder().decode(input));
      if (columns > 0) inspection.sizes.push(`${columns}x${rows}`);
      return {};
    },
  };
}
