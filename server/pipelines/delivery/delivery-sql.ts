/** For a query over "Pipeline" p and a "VectorNode": whether the pipeline is for that node. */
export function selectedBy(node: string): string {
  return `(p."nodeSelector" is null or "node_selector_matches"(p."nodeSelector", ${node}."labels"))`;
}

/** For a query over "Pipeline" p and its deployed "PipelineVersion" v: what nodes shall hold. */
export const deliveredHash = `coalesce(p."deliveredHash", v."contentHash")`;
