import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { callUnaryMethod } from "@connectrpc/connect-query-core";

const pageSize = 500;
/** 10 000 rows: beyond that a list has to be looked at page by page. */
const maximumPages = 20;

/**
 * Reads a list page after page into one answer. Its `nextPageToken` is empty, unless there is more than
 * `maximumPages`; what is no list is that of the first page.
 */
export async function readAllPages<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  signal: AbortSignal,
): Promise<MessageShape<O>> {
  const lists = method.output.fields.filter(({ fieldKind }) => fieldKind === "list");
  const ask = async (pageToken: string): Promise<Page<O>> => {
    const message = { ...request, pageSize, pageToken } as MessageInitShape<I>;
    return (await callUnaryMethod(transport, method, message, { signal })) as Page<O>;
  };
  const all = await ask("");
  for (let pages = 1; all.nextPageToken !== "" && pages < maximumPages; pages++) {
    const page = await ask(all.nextPageToken);
    for (const { localName } of lists) {
      Object.assign(all, { [localName]: [...listOf(all, localName), ...listOf(page, localName)] });
    }
    Object.assign(all, { nextPageToken: page.nextPageToken });
  }
  return all;
}

type Page<O extends DescMessage> = MessageShape<O> & { readonly nextPageToken: string };

function listOf(page: object, name: string): readonly unknown[] {
  return (page as Readonly<Record<string, readonly unknown[]>>)[name] ?? [];
}
