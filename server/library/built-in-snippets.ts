import { convertSnippets } from "./snippets/convert.ts";
import { enrichSnippets } from "./snippets/enrich.ts";
import { filterSnippets } from "./snippets/filter.ts";
import { metricsSnippets } from "./snippets/metrics.ts";
import { parseSnippets } from "./snippets/parse.ts";
import { redactSnippets } from "./snippets/redact.ts";

/** Any value of JSON. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A piece of VRL that ships with the product, with an event and what becomes of it. A test runs every one. */
export interface BuiltInSnippet {
  /** Never changes, so that programs can name it. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  /** It gives true or false and changes nothing, as in a filter. */
  readonly condition: boolean;
  readonly code: string;
  readonly example: { readonly event: Json; readonly result: Json };
}

export const builtInSnippets: readonly BuiltInSnippet[] = [
  ...parseSnippets,
  ...redactSnippets,
  ...enrichSnippets,
  ...filterSnippets,
  ...convertSnippets,
  ...metricsSnippets,
];
