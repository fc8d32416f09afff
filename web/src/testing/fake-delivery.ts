import { Code, type ConnectRouter } from "@connectrpc/connect";

import {
  DeliveryEffect,
  SelectorOperator,
  type SelectorTerm,
} from "#gen/vectorflow/v1/delivery_pb.ts";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";

import { failure, type FakeWorld } from "./fake-world.ts";

type Labels = Readonly<Record<string, string>>;

function selects(terms: readonly SelectorTerm[], labels: Labels): boolean {
  return terms.every(({ key, operator, values }) => {
    const value = labels[key];
    switch (operator) {
      case SelectorOperator.EQUALS:
        return value === values[0];
      case SelectorOperator.NOT_EQUALS:
        return value !== values[0];
      case SelectorOperator.IN:
        return value !== undefined && values.includes(value);
      case SelectorOperator.EXISTS:
        return value !== undefined;
      default:
        return value === undefined;
    }
  });
}

function effect(before: boolean, after: boolean): DeliveryEffect {
  if (before === after) return DeliveryEffect.STAYS;
  return after ? DeliveryEffect.STARTS : DeliveryEffect.STOPS;
}

const textOf = (terms: readonly SelectorTerm[]): string =>
  terms.length === 0
    ? "all hosts"
    : terms.map(({ key, values }) => `${key} = ${values.join()}`).join(", ");

/** Where pipelines run, over a fake world whose pipelines are all deployed. */
export function fakeDeliveryRoutes(router: ConnectRouter, world: FakeWorld): void {
  const { selectors, logLevels, limits } = world.secrets;
  const termsOf = (id: string): readonly SelectorTerm[] => selectors.get(id) ?? [];
  const preview = (id: string, terms: readonly SelectorTerm[]) => {
    const nodes = [...world.hosts.values()].flatMap(({ id: nodeId, name, labels }) => {
      const [before, after] = [selects(termsOf(id), labels), selects(terms, labels)];
      if (!before && !after) return [];
      return { id: nodeId, name, connected: true, effect: effect(before, after) };
    });
    const count = (wanted: DeliveryEffect): number =>
      nodes.filter((node) => node.effect === wanted).length;
    return {
      nodes,
      selectedCount: nodes.length - count(DeliveryEffect.STOPS),
      startingCount: count(DeliveryEffect.STARTS),
      stoppingCount: count(DeliveryEffect.STOPS),
      totalCount: world.hosts.size,
    };
  };
  router.service(DeliveryService, {
    getDelivery({ pipelineId }) {
      world.enter("getDelivery");
      const terms = termsOf(pipelineId);
      return {
        selector: { terms: [...terms] },
        selectorText: textOf(terms),
        etag: textOf(terms),
        logLevel: logLevels.get(pipelineId) ?? "info",
        limits: limits.get(pipelineId) ?? {},
      };
    },
    previewSelector({ pipelineId, selector }) {
      world.enter("previewSelector");
      return preview(pipelineId, selector?.terms ?? []);
    },
    setSelector({ pipelineId, selector, confirmStops }) {
      world.enter("setSelector");
      const terms = selector?.terms ?? [];
      if (preview(pipelineId, terms).stoppingCount > 0 && !confirmStops) {
        throw failure(Code.FailedPrecondition, "it would stop", "selector_stops_hosts");
      }
      selectors.set(pipelineId, terms);
      return { etag: textOf(terms), selectorText: textOf(terms) };
    },
    setLogLevel({ pipelineId, logLevel }) {
      world.enter("setLogLevel");
      logLevels.set(pipelineId, logLevel);
      return {};
    },
    setLimits({ pipelineId, limits: wanted }) {
      world.enter("setLimits");
      limits.set(pipelineId, {
        memoryMib: wanted?.memoryMib ?? 0,
        cpuCores: wanted?.cpuCores ?? 0,
      });
      return {};
    },
    previewLabels({ nodeId, labels }) {
      world.enter("previewLabels");
      const now = world.hosts.get(nodeId)?.labels ?? {};
      return {
        pipelines: [...world.pipelines.values()].flatMap(({ live: { summary } }) => {
          const terms = termsOf(summary?.id ?? "");
          const changed = effect(selects(terms, now), selects(terms, labels));
          if (changed === DeliveryEffect.STAYS) return [];
          return { id: summary?.id ?? "", name: summary?.name ?? "", effect: changed };
        }),
      };
    },
  });
}
