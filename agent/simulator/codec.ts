import { BuildError } from "./component.ts";
import { bool, type Options, text } from "./config.ts";
import { type EventFields, type SimEvent, toJson, toText, type Value } from "./event.ts";

/** Turns the bytes of one frame into the fields of log events; throws on what it cannot read. */
export type Decode = (frame: string) => readonly EventFields[];

export function decoderOf(options: Options): Decode {
  const codec = text(options, "decoding.codec") ?? "bytes";
  if (codec === "bytes") return (frame) => [{ message: frame }];
  if (codec !== "json")
    throw new BuildError(`vector-sim does not run the decoding codec "${codec}"`);
  return (frame) => {
    const value = JSON.parse(frame) as Value;
    return (Array.isArray(value) ? value : [value]).map((item: Value) =>
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? (item as EventFields)
        : { message: item },
    );
  };
}

/** The frames of a body: lines, or all of it with `framing.method: bytes`. */
export function framesOf(options: Options, body: string): readonly string[] {
  const method = text(options, "framing.method") ?? "newline_delimited";
  if (method === "bytes") return body === "" ? [] : [body];
  const delimiter =
    method === "character_delimited"
      ? (text(options, "framing.character_delimited.delimiter") ?? "\n")
      : "\n";
  const frames = body.split(delimiter);
  if (frames.at(-1) === "") frames.pop();
  return frames.map((frame) =>
    delimiter === "\n" && frame.endsWith("\r") ? frame.slice(0, -1) : frame,
  );
}

export interface Encoder {
  readonly contentType: string;
  encode(events: readonly SimEvent[]): string;
}

/** `stream`: what a console or a file gets (frames ended); otherwise the body of a request. */
export function encoderOf(options: Options, stream: boolean): Encoder {
  const codec = text(options, "encoding.codec") ?? "json";
  const pretty = bool(options, "encoding.json.pretty", false);
  const encoders: Readonly<Record<string, (event: SimEvent) => string>> = {
    json: (event) => (pretty ? JSON.stringify(JSON.parse(toJson(event)), null, 2) : toJson(event)),
    text: toText,
    raw_message: toText,
  };
  const one = encoders[codec];
  if (one === undefined)
    throw new BuildError(`vector-sim does not run the encoding codec "${codec}"`);
  const framing =
    text(options, "framing.method") ??
    (codec === "json" && !stream ? "array" : "newline_delimited");
  const delimiter = text(options, "framing.character_delimited.delimiter") ?? ",";
  const json = codec === "json" ? "application/json" : "text/plain";
  switch (framing) {
    case "array":
      return { contentType: json, encode: (events) => `[${events.map(one).join(",")}]` };
    case "newline_delimited":
      return {
        contentType: codec === "json" ? "application/x-ndjson" : json,
        encode: (events) => events.map((event) => `${one(event)}\n`).join(""),
      };
    case "character_delimited":
      // Vector makes an array of comma-delimited JSON.
      if (codec === "json" && delimiter === "," && !stream) {
        return { contentType: json, encode: (events) => `[${events.map(one).join(",")}]` };
      }
      return { contentType: json, encode: (events) => events.map(one).join(delimiter) };
    case "bytes":
      return { contentType: json, encode: (events) => events.map(one).join("") };
    default:
      throw new BuildError(`vector-sim does not run the framing method "${framing}"`);
  }
}
