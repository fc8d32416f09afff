import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  SessionRequestSchema,
  SessionResponse,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { CheckVerdict, type CheckConfig } from "#gen/vectorflow/agent/v1/check_pb.ts";
import type { Logger } from "#common/logger.ts";
import { checkConfig, type CheckOutcome, type CheckPlace } from "../process/check-config.ts";
import { boundedText, messageOf } from "../text.ts";
import { bodyFromProto } from "./control-proto.ts";
import { maximumIdLength } from "./limits.ts";
import { problemOf } from "./state-inbox.ts";

type Message = MessageInitShape<typeof SessionRequestSchema>["message"];

export type ConfigCheckDeps = CheckPlace;

/** More that wait are answered at once: the server asks again, or does without. */
const maximumWaiting = 8;
const defaultLimitMs = 20_000;
const longestLimitMs = 60_000;
const maximumProblems = 20;
const maximumTests = 500;

const verdicts = {
  accepted: CheckVerdict.ACCEPTED,
  refused: CheckVerdict.REFUSED,
  failed: CheckVerdict.FAILED,
} satisfies Record<CheckOutcome["kind"], CheckVerdict>;

function failed(reason: string): CheckOutcome {
  return { kind: "failed", reason, problems: [], vectorVersion: "", tests: [] };
}

interface Waiting {
  readonly check: CheckConfig;
  readonly cancel: AbortController;
}

/**
 * Checks configurations for one session, one at a time, so that a fleet-wide question costs each host one process
 * of low priority. It ends with the session, and with that whatever it started.
 */
export class ConfigChecks implements Disposable {
  readonly #deps: ConfigCheckDeps;
  readonly #log: Logger;
  readonly #send: (message: Message) => void;
  readonly #over = new AbortController();
  readonly #waiting = new Map<string, Waiting>();
  #running = false;

  constructor(deps: ConfigCheckDeps, log: Logger, send: (message: Message) => void) {
    this.#deps = deps;
    this.#log = log;
    this.#send = send;
  }

  [Symbol.dispose](): void {
    this.#over.abort(new Error("the session has ended"));
  }

  /** Orders about what was never begun mean nothing (A6). */
  receive(message: SessionResponse["message"]): void {
    if (message.case === "checkCancel") {
      this.#waiting.get(message.value.checkId)?.cancel.abort(new Error("nobody waits for it"));
    } else if (message.case === "checkConfig") this.#enqueue(message.value);
  }

  #enqueue(check: CheckConfig): void {
    const { checkId } = check;
    // A repeat of an order changes nothing, and an id that cannot be one is not sent back.
    if (checkId === "" || checkId.length > maximumIdLength || this.#waiting.has(checkId)) return;
    if (this.#waiting.size >= maximumWaiting) {
      const reason = `more than ${maximumWaiting} checks wait on this host`;
      return this.#answer(checkId, failed(reason));
    }
    this.#waiting.set(checkId, { check, cancel: new AbortController() });
    if (!this.#running) void this.#work();
  }

  /** Never rejects: what goes wrong is the answer. */
  async #work(): Promise<void> {
    this.#running = true;
    for (const [checkId, { check, cancel }] of this.#waiting) {
      const signal = AbortSignal.any([cancel.signal, this.#over.signal]);
      if (!signal.aborted) {
        const outcome = await this.#check(check, signal);
        if (outcome !== undefined) this.#answer(checkId, outcome);
      }
      this.#waiting.delete(checkId);
    }
    this.#running = false;
  }

  async #check(check: CheckConfig, signal: AbortSignal): Promise<CheckOutcome | undefined> {
    const { body } = check;
    if (body === undefined) return failed("there is nothing to check");
    const problem = problemOf(body, new Uint8Array());
    if (problem !== undefined) return failed(problem);
    const asked = check.timeLimitMs === 0 ? defaultLimitMs : check.timeLimitMs;
    const timeLimitMs = Math.min(asked, longestLimitMs);
    try {
      const options = { timeLimitMs, runTests: check.runTests };
      return await checkConfig(this.#deps, bodyFromProto(body), options, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#log.error("cannot check a configuration", { error });
      return failed(`the host could not check it: ${messageOf(error)}`);
    }
  }

  #answer(checkId: string, { kind, reason, problems, vectorVersion, tests }: CheckOutcome): void {
    this.#send({
      case: "checkResult",
      value: {
        checkId,
        verdict: verdicts[kind],
        reason: boundedText(reason, 4096),
        problems: problems.slice(0, maximumProblems).map(({ componentId, field, message }) => ({
          componentId: boundedText(componentId, 256),
          field: boundedText(field, 512),
          message: boundedText(message, 4096),
        })),
        vectorVersion: boundedText(vectorVersion, 64),
        tests: tests.slice(0, maximumTests).map(({ name, passed, message }) => ({
          name: boundedText(name, 256),
          passed,
          message: boundedText(message, 2048),
        })),
      },
    });
  }
}
