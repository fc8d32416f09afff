import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";

import { SnippetSchema } from "#gen/vectorflow/v1/snippet_pb.ts";
import { SnippetService } from "#gen/vectorflow/v1/snippet_service_pb.ts";

import { fakePage } from "./fake-page.ts";
import { failure, type FakeWorld } from "./fake-world.ts";

/** Snippets over a fake world. */
export function fakeSnippetRoutes(router: ConnectRouter, world: FakeWorld): void {
  const { snippets } = world.templates;
  const compile = (code: string): void => {
    if (!code.includes("wrong")) return;
    throw failure(Code.InvalidArgument, "code does not compile", "invalid_request", [
      { field: "code", message: "does not compile: VRL error 103" },
    ]);
  };
  router.service(SnippetService, {
    listSnippets(request) {
      world.enter("listSnippets");
      return fakePage(world, request, snippets.values(), (list) => ({ snippets: list }));
    },
    createSnippet({ name, description, category, code, condition }) {
      world.enter("createSnippet");
      compile(code);
      const fields = { name, description, category, code, condition };
      const snippet = create(SnippetSchema, { id: name, ...fields });
      snippets.set(snippet.id, snippet);
      return { snippet };
    },
    updateSnippet({ id, name, description, category, code, condition, etag }) {
      world.enter("updateSnippet");
      if (snippets.get(id)?.etag !== etag) {
        throw new ConnectError("someone else changed this snippet: look again", Code.Aborted);
      }
      compile(code);
      const snippet = create(SnippetSchema, { id, name, description, category, code, condition });
      snippets.set(id, snippet);
      return { snippet };
    },
    deleteSnippet({ id }) {
      world.enter("deleteSnippet");
      snippets.delete(id);
      return {};
    },
  });
}
