import { defineEntity, p } from "@mikro-orm/core";
import { id, json } from "../db/columns.ts";
import { VectorNode } from "../fleet/vector-node.entity.ts";
import type { HostProblem, HostTest } from "./host-check-groups.ts";
import { HostCheck } from "./host-check.entity.ts";

const HostCheckAnswerSchema = defineEntity({
  name: "HostCheckAnswer",
  comment: "What one host says of a configuration.",
  uniques: [{ name: "HostCheckAnswer_checkId_nodeId_key", properties: ["checkId", "nodeId"] }],
  properties: {
    id: id(),
    checkId: () =>
      p.manyToOne(HostCheck).mapToPk().fieldName("checkId").deleteRule("cascade").index(false),
    nodeId: () =>
      p
        .manyToOne(VectorNode)
        .mapToPk()
        .fieldName("nodeId")
        .deleteRule("cascade")
        .index("HostCheckAnswer_nodeId_idx"),
    verdict: p.text().comment("ACCEPTED, REFUSED or FAILED."),
    reason: p.text(),
    problems: json<readonly HostProblem[]>().default("[]"),
    vectorVersion: p.text(),
    tests: json<readonly HostTest[]>().default("[]"),
  },
});

export class HostCheckAnswer extends HostCheckAnswerSchema.class {}
HostCheckAnswerSchema.setClass(HostCheckAnswer);
