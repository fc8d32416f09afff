import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { SnippetSchema } from "#gen/vectorflow/v1/snippet_pb.ts";
import type { SnippetService } from "#gen/vectorflow/v1/snippet_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isNamePlace, pageOf, pageSize } from "../rpc/page-token.ts";
import {
  createSnippet,
  deleteSnippet,
  etagOf,
  listSnippets,
  updateSnippet,
  type SnippetView,
} from "./snippets.ts";

/** Pieces of VRL to start from. */
export function snippetRpc(deps: ServerDeps): ServiceImpl<typeof SnippetService> {
  const { compiler } = deps;
  return {
    async listSnippets({ teamId, ...request }, ctx) {
      const size = pageSize(request.pageSize, 200, 200);
      const after = decodePageToken(request.pageToken, isNamePlace);
      const { em } = callScope(deps, ctx);
      const rows = await listSnippets({ em }, { teamId, after, limit: size + 1 });
      const { page, nextPageToken } = pageOf(rows, size, ({ name, id }) => ({
        name: name.toLowerCase(),
        id,
      }));
      return { snippets: page.map(toProto), nextPageToken };
    },
    async createSnippet(request, ctx) {
      return { snippet: toProto(await createSnippet(callScope(deps, ctx), compiler, request)) };
    },
    async updateSnippet(request, ctx) {
      return { snippet: toProto(await updateSnippet(callScope(deps, ctx), compiler, request)) };
    },
    async deleteSnippet(request, ctx) {
      await deleteSnippet(callScope(deps, ctx), request);
      return {};
    },
  };
}

function toProto(snippet: SnippetView): Exclude<MessageInitShape<typeof SnippetSchema>, Message> {
  const { example, updatedAt, ...view } = snippet;
  return {
    ...view,
    etag: view.builtIn ? "" : etagOf(snippet),
    ...(example !== undefined && {
      exampleEvent: JSON.stringify(example.event, null, 2),
      exampleResult: JSON.stringify(example.result, null, 2),
    }),
    ...(updatedAt !== undefined && { updateTime: timestampFromDate(updatedAt) }),
  };
}
