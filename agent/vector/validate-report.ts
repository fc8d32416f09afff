import type { ConfigProblem } from "../process/pipeline-status.ts";
import { boundedText } from "../text.ts";
import { isReserved } from "./reserved.ts";

const maxProblems = 50;
const maxMessageBytes = 4 * 1024;

// A line that begins something new in the report, and so ends the message before it.
const boundary =
  /^(?:[√~x] |-{3,}\s*$|Failed to load |Loaded |Transform errors|Component errors|\s+Validated)/;

/**
 * Reads the report of `vector validate`: every line that begins with an `x`, with the lines that
 * continue it, is a problem.
 */
export function parseValidateReport(report: string): readonly ConfigProblem[] {
  const messages: string[][] = [];
  let current: string[] | undefined;
  for (const line of report.split("\n")) {
    if (line.startsWith("x ")) {
      current = [line.slice(2)];
      messages.push(current);
    } else if (boundary.test(line)) current = undefined;
    else current?.push(line);
  }
  return messages.slice(0, maxProblems).map((lines) => problemOf(lines.join("\n").trim()));
}

/** Finds the component and the field that a message of Vector is about, as far as it says. */
export function problemOf(text: string): ConfigProblem {
  const { componentId, field } = placeOf(text);
  const message = boundedText(text, maxMessageBytes);
  return isReserved(componentId)
    ? { componentId: "", field: "", message }
    : { componentId, field, message };
}

function placeOf(text: string): { readonly componentId: string; readonly field: string } {
  const path =
    /^(?:sources|transforms|sinks|enrichment_tables)\.([^.:\s]+)(?:\.([^:\s]+))?: /.exec(text) ??
    /in `(?:sources|transforms|sinks|enrichment_tables)\.([^.`]+)(?:\.([^`]+))?`/.exec(text);
  if (path !== null) return { componentId: path[1] ?? "", field: path[2] ?? "" };
  const input = /^Input "[^"]*" for (?:source|transform|sink|enrichment table) "([^"]+)"/i.exec(
    text,
  );
  if (input !== null) return { componentId: input[1] ?? "", field: "inputs" };
  const mismatch = /^Data type mismatch between \S+ \(.*\) and (\S+) \(/.exec(text);
  if (mismatch !== null) return { componentId: mismatch[1] ?? "", field: "inputs" };
  const named =
    /^(?:Source|Transform|Sink|Enrichment Table|Component name|More than one component with name|Health check for) "([^"]+)"/i.exec(
      text,
    );
  const about = / has no inputs| has input "/.test(text) ? "inputs" : "";
  return { componentId: named?.[1] ?? "", field: about };
}
