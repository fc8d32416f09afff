import { isRecord, type GraphComponent } from "./graph.ts";

/** A VRL program in a configuration. */
export interface VrlProgram {
  readonly component: GraphComponent;
  readonly path: readonly (string | number)[];
  readonly source: string;
}

/** Finds the VRL programs of a component: those of remap, and conditions written in VRL. */
export function vrlPrograms(component: GraphComponent): readonly VrlProgram[] {
  const { config, type } = component;
  if (component.kind !== "transform") return [];
  const program = (value: unknown, path: readonly (string | number)[]): VrlProgram[] => {
    if (typeof value === "string") return [{ component, path, source: value }];
    if (isRecord(value) && value["type"] === "vrl" && typeof value["source"] === "string") {
      return [{ component, path: [...path, "source"], source: value["source"] }];
    }
    return [];
  };
  switch (type) {
    case "remap":
      return program(config["source"], ["source"]);
    case "filter":
      return program(config["condition"], ["condition"]);
    case "route":
      return isRecord(config["route"])
        ? Object.entries(config["route"]).flatMap(([name, value]) =>
            program(value, ["route", name]),
          )
        : [];
    case "exclusive_route":
      return Array.isArray(config["routes"])
        ? config["routes"].flatMap((route: unknown, index) =>
            isRecord(route) ? program(route["condition"], ["routes", index, "condition"]) : [],
          )
        : [];
    case "sample":
    case "reduce":
    case "throttle":
      return (["exclude", "starts_when", "ends_when"] as const).flatMap((name) =>
        program(config[name], [name]),
      );
    default:
      return [];
  }
}

/** One finding of the compiler. */
export interface VrlDiagnostic {
  readonly message: string;
  readonly code: number;
  readonly labels: readonly { readonly message: string; readonly primary: boolean }[];
}

/** The compiler behind one small interface. */
export interface VrlEngine {
  /** The errors of a program; none when it compiles. */
  check(source: string): readonly VrlDiagnostic[];
}

/** Functions that Vector adds to VRL and the engine does not know. */
const vectorFunctions =
  /\b(get_secret|set_secret|remove_secret|set_semantic_meaning|find_enrichment_table_records|get_enrichment_table_record|find_vector_metrics|get_vector_metric|aggregate_vector_metrics|parse_dnstap|basename|dirname|split_path|crc|encode_csv|haversine|http_request|parse_yaml|pop|trim|validate_json_schema|xxhash|encrypt_ip|decrypt_ip|parse_cef|zip|object_from_array)\b/;

/** The first error as one line for people, or undefined when the engine cannot judge the program. */
export function describeVrl(source: string, errors: readonly VrlDiagnostic[]): string | undefined {
  const [first] = errors;
  if (first === undefined) return undefined;
  // The engine is older than Vector's own: a function it does not know is no error of the person's.
  if (first.code === 105 && vectorFunctions.test(source)) return undefined;
  const label = first.labels.find(({ primary }) => primary) ?? first.labels[0];
  return `VRL error ${first.code}: ${first.message}${label === undefined ? "" : ` (${label.message})`}`;
}
