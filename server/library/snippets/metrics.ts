import type { BuiltInSnippet } from "../built-in-snippets.ts";

/** Programs over metrics, which have a name, tags and a value. */
export const metricsSnippets: readonly BuiltInSnippet[] = [
  {
    id: "builtin-tag-of-site",
    name: "A tag of one's own",
    description: "Adds a tag to every metric.",
    category: "Metrics",
    condition: false,
    code: `.tags.site = "fra"`,
    example: {
      event: {
        name: "requests_total",
        tags: { status: "200" },
        kind: "incremental",
        counter: { value: 1 },
      },
      result: {
        counter: { value: 1 },
        kind: "incremental",
        name: "requests_total",
        tags: { site: "fra", status: "200" },
      },
    },
  },
  {
    id: "builtin-without-tags",
    name: "Without tags of many values",
    description: "Removes tags that would make too many series.",
    category: "Metrics",
    condition: false,
    code: `del(.tags.pod)
del(.tags.user)
del(.tags.path)`,
    example: {
      event: { name: "requests_total", tags: { status: "200", pod: "web-1", path: "/a/7" } },
      result: { name: "requests_total", tags: { status: "200" } },
    },
  },
  {
    id: "builtin-names-with-a-prefix",
    name: "Names with a prefix",
    description: "Gives metrics of a source a namespace of their own.",
    category: "Metrics",
    condition: false,
    code: `.namespace = "shop"
.name = replace(string!(.name), ".", "_")`,
    example: {
      event: { name: "cart.items", tags: {} },
      result: { name: "cart_items", namespace: "shop", tags: {} },
    },
  },
];
