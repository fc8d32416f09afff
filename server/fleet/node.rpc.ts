import type { ServiceImpl } from "@connectrpc/connect";
import type { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { statusToProto } from "../pipelines/pipeline-proto.ts";
import { listStatuses } from "../pipelines/statuses.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, encodePageToken, isNamePlace, pageSize } from "../rpc/page-token.ts";
import { nodeToProto, policyToProto } from "./node-proto.ts";
import { deleteNode, getHostPolicy, getNode, listNodes, updateNode } from "./nodes.ts";

export function nodeRpc(deps: ServerDeps): ServiceImpl<typeof NodeService> {
  return {
    async listNodes(request, ctx) {
      const size = pageSize(request.pageSize, 100, 500);
      const after = decodePageToken(request.pageToken, isNamePlace);
      const nodes = await listNodes(callScope(deps, ctx), request.environmentId, after, size + 1);
      const page = nodes.slice(0, size);
      const last = page.at(-1);
      return {
        nodes: page.map(nodeToProto),
        nextPageToken:
          nodes.length > size && last !== undefined
            ? encodePageToken({ name: last.name.toLowerCase(), id: last.id })
            : "",
      };
    },
    async getNode(request, ctx) {
      const scope = callScope(deps, ctx);
      const node = await getNode(scope, request.id);
      const pipelines = await listStatuses(scope.em, { nodeId: request.id });
      const policy = await getHostPolicy(scope, request.id);
      return {
        node: nodeToProto(node),
        pipelines: pipelines.map(statusToProto),
        ...(policy === null ? {} : { policy: policyToProto(policy) }),
      };
    },
    async updateNode(request, ctx) {
      const scope = callScope(deps, ctx);
      await updateNode(scope, { ...request, labels: request.labels?.labels });
      return { node: nodeToProto(await getNode(scope, request.id)) };
    },
    async deleteNode(request, ctx) {
      await deleteNode(callScope(deps, ctx), request.id);
      return {};
    },
  };
}
