import { toBinary, type DescFile, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type {
  ServerReflection,
  ServerReflectionRequest,
} from "#gen/grpc/reflection/v1/reflection_pb.ts";

/** What both versions of the protocol answer; they differ in nothing but their package. */
export function reflectionRpc(
  services: readonly DescService[],
): ServiceImpl<typeof ServerReflection> {
  const files = filesOf(services);
  const answer = (request: ServerReflectionRequest) => {
    const { messageRequest } = request;
    const echo = { validHost: request.host, originalRequest: request };
    const found = (file: DescFile | undefined) =>
      file === undefined
        ? { ...echo, messageResponse: notFound }
        : {
            ...echo,
            messageResponse: {
              case: "fileDescriptorResponse" as const,
              value: { fileDescriptorProto: withImports(file) },
            },
          };
    switch (messageRequest.case) {
      case "listServices": {
        const service = services.map(({ typeName }) => ({ name: typeName }));
        return {
          ...echo,
          messageResponse: { case: "listServicesResponse" as const, value: { service } },
        };
      }
      case "fileByFilename":
        return found(files.get(messageRequest.value));
      case "fileContainingSymbol":
        return found(fileOfSymbol(files, messageRequest.value));
      default:
        return { ...echo, messageResponse: notFound };
    }
  };
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) yield answer(request);
    },
  };
}

const notFound = {
  case: "errorResponse" as const,
  value: { errorCode: Code.NotFound, errorMessage: "not found" },
};

function filesOf(services: readonly DescService[]): Map<string, DescFile> {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(add);
  };
  for (const service of services) add(service.file);
  return files;
}

/** A file and all that it imports, each once, so that a client needs to ask only once. */
function withImports(file: DescFile): Uint8Array<ArrayBuffer>[] {
  const all = new Map<string, DescFile>();
  const add = (next: DescFile): void => {
    if (all.has(next.proto.name)) return;
    all.set(next.proto.name, next);
    next.dependencies.forEach(add);
  };
  add(file);
  return [...all.values()].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}

function fileOfSymbol(files: ReadonlyMap<string, DescFile>, symbol: string): DescFile | undefined {
  for (const file of files.values()) {
    const names = [...file.services, ...file.messages, ...file.enums].map(
      ({ typeName }) => typeName,
    );
    if (names.some((name) => symbol === name || symbol.startsWith(`${name}.`))) return file;
  }
  return undefined;
}
