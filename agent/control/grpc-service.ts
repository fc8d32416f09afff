import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageShape,
} from "@bufbuild/protobuf";
import { AgentService } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";

/** One method for a call of @grpc/grpc-js, with protobuf-es on the wire. */
export interface GrpcMethod<I extends DescMessage, O extends DescMessage> {
  readonly path: string;
  readonly serialize: (message: MessageShape<I>) => Buffer;
  readonly deserialize: (bytes: Buffer) => MessageShape<O>;
}

function methodOf<I extends DescMessage, O extends DescMessage>(
  name: string,
  input: I,
  output: O,
): GrpcMethod<I, O> {
  return {
    path: `/${AgentService.typeName}/${name}`,
    serialize: (message) => Buffer.from(toBinary(input, message)),
    deserialize: (bytes) => fromBinary(output, bytes),
  };
}

/**
 * In a stream, a message that cannot be read or written costs itself and not the session: it becomes an empty one,
 * which either side ignores like a kind of a newer one (P12).
 */
function tolerant<I extends DescMessage, O extends DescMessage>(
  method: GrpcMethod<I, O>,
  output: O,
): GrpcMethod<I, O> {
  return {
    ...method,
    serialize: (message) => {
      try {
        return method.serialize(message);
      } catch {
        // A number that the wire does not take, for one. The server ignores an empty message.
        return Buffer.alloc(0);
      }
    },
    deserialize: (bytes) => {
      try {
        return method.deserialize(bytes);
      } catch {
        return create(output);
      }
    },
  };
}

const { enroll, session } = AgentService.method;

export const enrollMethod = methodOf(enroll.name, enroll.input, enroll.output);
export const sessionMethod = tolerant(
  methodOf(session.name, session.input, session.output),
  session.output,
);
