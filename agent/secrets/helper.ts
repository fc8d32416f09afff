import { connect } from "node:net";
import { text } from "node:stream/consumers";

/**
 * Vector's exec backend: one JSON document in, one out. Started by Vector at each load of a
 * configuration with secrets, so that it imports next to nothing.
 *
 * @param args the path of the agent's socket, and the ticket of the pipeline.
 */
export async function answerVector(args: readonly string[]): Promise<void> {
  const [path = "", ticket = ""] = args;
  const { secrets } = JSON.parse(await text(process.stdin)) as { readonly secrets: unknown };
  const socket = connect(path);
  socket.write(`${JSON.stringify({ ticket, secrets })}\n`);
  process.stdout.write(await text(socket));
}

if (import.meta.main) {
  answerVector(process.argv.slice(2)).catch((error: unknown) => {
    // Vector logs this line; it holds a path and no value.
    process.stderr.write(`the agent cannot be asked for secrets: ${(error as Error).message}\n`);
    process.exit(1);
  });
}
