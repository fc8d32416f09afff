import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SessionResponseSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { CheckVerdict, type CheckResult } from "#gen/vectorflow/agent/v1/check_pb.ts";
import { clean, cleanName } from "./text.ts";

type Order = MessageInitShape<typeof SessionResponseSchema>["message"];

/** What a host said of a configuration, cleaned. */
export interface CheckAnswer {
  readonly verdict: "ACCEPTED" | "REFUSED" | "FAILED";
  readonly reason: string;
  readonly problems: readonly {
    readonly componentId: string;
    readonly field: string;
    readonly message: string;
  }[];
  readonly vectorVersion: string;
  /** Of the unit tests, when they were asked for and could be run. */
  readonly tests: readonly {
    readonly name: string;
    readonly passed: boolean;
    readonly message: string;
  }[];
}

/** What a session can send: an order, or the bytes of one that goes to many, if it is still wanted when its turn comes. */
export interface CheckWire {
  send(order: Order): void;
  sendBytes(bytes: Buffer, isWanted: () => boolean): void;
}

const maximumProblems = 20;
const maximumTests = 500;

const verdicts: Partial<Record<CheckVerdict, CheckAnswer["verdict"]>> = {
  [CheckVerdict.ACCEPTED]: "ACCEPTED",
  [CheckVerdict.REFUSED]: "REFUSED",
  [CheckVerdict.FAILED]: "FAILED",
};

/** Configurations that one connected host is asked about. It takes only answers to what was asked. */
export class AgentChecks {
  readonly #wire: CheckWire;
  readonly #waiting = new Map<string, (answer: CheckAnswer) => void>();

  constructor(wire: CheckWire) {
    this.#wire = wire;
  }

  /** `bytes` are the order. Disposing it tells the host that nobody waits any more. */
  start(checkId: string, bytes: Buffer, onAnswer: (answer: CheckAnswer) => void): Disposable {
    this.#waiting.set(checkId, onAnswer);
    this.#wire.sendBytes(bytes, () => this.#waiting.has(checkId));
    return {
      [Symbol.dispose]: () => {
        if (!this.#waiting.delete(checkId)) return;
        this.#wire.send({ case: "checkCancel", value: { checkId } });
      },
    };
  }

  receive({ checkId, verdict, reason, problems, vectorVersion, tests }: CheckResult): void {
    const onAnswer = this.#waiting.get(checkId);
    if (onAnswer === undefined) return;
    this.#waiting.delete(checkId);
    onAnswer({
      // A verdict that a newer agent knows is none that counts.
      verdict: verdicts[verdict] ?? "FAILED",
      reason: clean(reason, 2000),
      problems: problems.slice(0, maximumProblems).map((problem) => ({
        componentId: cleanName(problem.componentId, 200),
        field: cleanName(problem.field, 500),
        message: clean(problem.message, 2000),
      })),
      vectorVersion: cleanName(vectorVersion, 64),
      tests: tests.slice(0, maximumTests).map(({ name, passed, message }) => ({
        name: cleanName(name, 256),
        passed,
        message: clean(message, 2048),
      })),
    });
  }

  /** The session is over: nobody will answer. */
  end(reason: string): void {
    for (const onAnswer of this.#waiting.values()) {
      onAnswer({ verdict: "FAILED", reason, problems: [], vectorVersion: "", tests: [] });
    }
    this.#waiting.clear();
  }
}
