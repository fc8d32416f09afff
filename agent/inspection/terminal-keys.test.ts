import { expect, test } from "vitest";
import { viewingKeys } from "./terminal-keys.ts";

const esc = "\u001b";

test.each([
  ["q", "q"],
  ["?sr/jkgG0123", "?sr/jkgG0123"],
  ["/demo logs\r", "/demo logs\r"],
  ["x\u007f\u0008\t", "x\u007f\u0008\t"],
  [esc, esc],
  [
    `${esc}[A${esc}[B${esc}OC${esc}OD${esc}[H${esc}[F`,
    `${esc}[A${esc}[B${esc}OC${esc}OD${esc}[H${esc}[F`,
  ],
  [`${esc}[5~${esc}[6~`, `${esc}[5~${esc}[6~`],
  ["\u0003\u0004\u001a\u001c\u0013\u0011\u0000", ""],
  [`${esc}[<0;10;10M${esc}[M !!`, ""],
  [`a${esc}[1;1Rb${esc}[?1;2cc`, "abc"],
  [`${esc}]52;c;aGk=\u0007x`, "x"],
  [`${esc}Pq;rm -rf /${esc}\\y`, "y"],
  [`${esc}q`, ""],
  [`${esc}OP`, ""],
  [`${esc}[200~rm${esc}[201~`, "rm"],
  ["é", ""],
])("of %j passes %j", (input, passed) => {
  expect(viewingKeys(Buffer.from(input, "latin1")).toString("latin1")).toBe(passed);
});
