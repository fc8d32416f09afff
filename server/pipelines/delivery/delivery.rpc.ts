import type { ServiceImpl } from "@connectrpc/connect";
import {
  DeliveryEffect,
  SelectorOperator,
  type Selector as SelectorMessage,
} from "#gen/vectorflow/v1/delivery_pb.ts";
import type { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import type { ServerDeps } from "../../deps.ts";
import { DomainError, notFound } from "../../errors.ts";
import { VectorNode } from "../../fleet/vector-node.entity.ts";
import { callScope } from "../../rpc/call-scope.ts";
import { setLimits } from "./limits.ts";
import { findPipeline } from "../pipelines.ts";
import { describeSelector, type Selector, type SelectorOperator as Operator } from "./selector.ts";
import {
  checkSelector,
  etagOf,
  previewLabels,
  previewSelector,
  setLogLevel,
  setSelector,
  type Effect,
} from "./targeting.ts";

const shownNodes = 500;

const operators = {
  equals: SelectorOperator.EQUALS,
  not_equals: SelectorOperator.NOT_EQUALS,
  in: SelectorOperator.IN,
  exists: SelectorOperator.EXISTS,
  not_exists: SelectorOperator.NOT_EXISTS,
} satisfies Record<Operator, SelectorOperator>;

const effects = {
  stays: DeliveryEffect.STAYS,
  starts: DeliveryEffect.STARTS,
  stops: DeliveryEffect.STOPS,
  none: DeliveryEffect.NONE,
} satisfies Record<Effect, DeliveryEffect>;

/** Where a pipeline runs, and how loudly. */
export function deliveryRpc(deps: ServerDeps): ServiceImpl<typeof DeliveryService> {
  return {
    async getDelivery({ pipelineId }, ctx) {
      const pipeline = await findPipeline(callScope(deps, ctx), pipelineId);
      const selector = pipeline.nodeSelector ?? null;
      return {
        selector: selectorToProto(selector),
        selectorText: describeSelector(selector),
        etag: etagOf(selector),
        logLevel: pipeline.logLevel ?? "info",
        problem: pipeline.deliveryProblem ?? "",
        limits: {
          memoryMib: Number(pipeline.memoryLimitMib),
          cpuCores: Number(pipeline.cpuLimitCores),
        },
      };
    },
    async previewSelector(request, ctx) {
      const scope = callScope(deps, ctx);
      const pipeline = await findPipeline(scope, request.pipelineId);
      const { nodes, ...counts } = await previewSelector(
        scope.em,
        pipeline,
        selectorFromProto(request.selector),
      );
      return {
        ...counts,
        nodes: nodes
          .toSorted((a, b) => Number(b.effect === "stops") - Number(a.effect === "stops"))
          .slice(0, shownNodes)
          .map((node) => ({ ...node, effect: effects[node.effect] })),
      };
    },
    async setSelector(request, ctx) {
      const { selector, preview } = await setSelector(callScope(deps, ctx), {
        ...request,
        selector: selectorFromProto(request.selector),
      });
      return {
        etag: etagOf(selector),
        selectorText: describeSelector(selector),
        startingCount: preview.startingCount,
        stoppingCount: preview.stoppingCount,
      };
    },
    async setLogLevel({ pipelineId, logLevel }, ctx) {
      await setLogLevel(callScope(deps, ctx), pipelineId, logLevel);
      return {};
    },
    async setLimits({ pipelineId, limits }, ctx) {
      const { memoryMib = 0, cpuCores = 0 } = limits ?? {};
      await setLimits(callScope(deps, ctx), pipelineId, { memoryMib, cpuCores });
      return {};
    },
    async previewLabels({ nodeId, labels }, ctx) {
      const { em } = callScope(deps, ctx);
      const node = await em.findOne(VectorNode, { id: nodeId });
      if (node === null) throw notFound("node", nodeId);
      const pipelines = await previewLabels(em, node, labels);
      return {
        pipelines: pipelines.map((pipeline) => ({
          ...pipeline,
          effect: effects[pipeline.effect],
        })),
      };
    },
  };
}

function selectorToProto(selector: Selector) {
  return {
    terms: (selector ?? []).map(({ key, operator, values }) => ({
      key,
      operator: operators[operator],
      values: [...values],
    })),
  };
}

function selectorFromProto(message: SelectorMessage | undefined): Selector {
  const known = new Map<SelectorOperator, Operator>(
    Object.entries(operators).map(([name, value]) => [value, name as Operator]),
  );
  return checkSelector(
    (message?.terms ?? []).map(({ key, operator, values }, index) => {
      const name = known.get(operator);
      if (name === undefined) {
        const field = `selector.terms[${index}].operator`;
        throw new DomainError("invalid", "invalid_request", `${field} is required`, {
          violations: [{ field, message: "is required" }],
        });
      }
      return { key, operator: name, values };
    }),
  );
}
