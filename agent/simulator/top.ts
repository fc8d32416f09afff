import { writeSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import {
  GetComponentsRequestSchema,
  GetComponentsResponseSchema,
  ObservabilityService,
  type GetComponentsResponse,
} from "#gen/vector/observability_pb.ts";

const noTerminal = 74;
const notReachable = 69;

/** A minimal `vector top`: a table of components that is drawn anew, until `q` or Escape. */
export async function top(url: string, intervalMs: number): Promise<number> {
  if (!process.stdout.isTTY || !process.stdin.isTTY) {
    writeSync(2, "Terminal must be a teletype (TTY) to display a Vector dashboard.\n");
    return noTerminal;
  }
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(signal, () => {});
  const client = new Client(new URL(url).host, credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<number>();
  process.stdin.setRawMode(true).on("data", (keys: Buffer) => {
    if (["q", "\u001b"].includes(keys.toString("latin1"))) resolve(0);
  });
  const draw = (): void => {
    getComponents(client).then(
      (answer) => writeSync(1, screen(answer)),
      () => resolve(notReachable),
    );
  };
  writeSync(1, "\u001b[?1049h");
  draw();
  process.stdout.on("resize", draw);
  const timer = setInterval(draw, intervalMs);
  const code = await promise;
  clearInterval(timer);
  writeSync(1, "\u001b[?1049l");
  return code;
}

function getComponents(client: Client): Promise<GetComponentsResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<GetComponentsResponse>();
  client.makeUnaryRequest(
    `/${ObservabilityService.typeName}/GetComponents`,
    (request) => Buffer.from(toBinary(GetComponentsRequestSchema, request)),
    (bytes: Buffer) => fromBinary(GetComponentsResponseSchema, bytes),
    create(GetComponentsRequestSchema),
    (error, answer) => (answer === undefined ? reject(error ?? new Error()) : resolve(answer)),
  );
  return promise;
}

function screen({ components }: GetComponentsResponse): string {
  const { columns, rows } = process.stdout;
  const lines = components.map(({ componentId, onType, metrics }) =>
    [componentId.padEnd(24), onType.padEnd(20), String(metrics?.sentEventsTotal ?? 0)].join(" "),
  );
  const title = `vector-sim top ${columns}x${rows}`;
  return `\u001b[H\u001b[2J${[title, ...lines].slice(0, rows - 1).join("\r\n")}`;
}
