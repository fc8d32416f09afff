import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CommandStatus, type Command } from "#gen/vectorflow/agent/v1/command_pb.ts";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { Answer, Inspector } from "../inspection/inspector.ts";
import { boundedText, messageOf } from "../text.ts";
import * as limits from "./limits.ts";

/** Commands that were answered, with their answers: a repeat gets no second one (P6). */
export type AnsweredCommands = Map<string, CommandStatus>;

export interface CommandDeskDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly answered: AnsweredCommands;
  readonly inspector: Inspector;
  runner(pipelineId: string): { restart(): Promise<string> } | undefined;
  answer(commandId: string, answer: Answer): void;
}

const rememberedCommands = 1000;

/** Sees to commands: each is done once, in time or not at all, and answered exactly once (P6). */
export class CommandDesk {
  readonly #deps: CommandDeskDeps;
  #underWay = 0;

  constructor(deps: CommandDeskDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  async take(command: Command): Promise<void> {
    const { answered, clock, log } = this.#deps;
    if (command.id === "" || command.id.length > limits.maximumIdLength) {
      // Nobody could tell which command an answer belongs to.
      log.warn("ignores a command without a usable id");
      return;
    }
    if (answered.has(command.id)) return;
    // Noted before it is begun, so that a repeat of a running one changes nothing.
    remember(answered, command.id);
    const expiry = command.expireTime === undefined ? undefined : timestampDate(command.expireTime);
    if (expiry !== undefined && expiry < clock.now()) {
      const message = "the command came too late";
      this.#answer(command.id, { status: CommandStatus.EXPIRED, message });
      return;
    }
    if (this.#underWay >= limits.maximumCommandsUnderWay) {
      const message = "too many commands are under way";
      this.#answer(command.id, { status: CommandStatus.FAILED, message });
      return;
    }
    this.#underWay += 1;
    try {
      this.#answer(command.id, await this.#do(command));
    } catch (error) {
      this.#answer(command.id, { status: CommandStatus.FAILED, message: messageOf(error) });
    } finally {
      this.#underWay -= 1;
    }
  }

  async #do(command: Command): Promise<Answer> {
    const { kind } = command;
    switch (kind.case) {
      case "restartPipeline": {
        const problem =
          (await this.#deps.runner(kind.value.pipelineId)?.restart()) ??
          "the pipeline is not on this host";
        return {
          status: problem === "" ? CommandStatus.OK : CommandStatus.FAILED,
          message: problem,
        };
      }
      case "sample":
        return await this.#deps.inspector.sample(command.id, kind.value);
      case "uploadComponentSchema":
        return await this.#deps.inspector.uploadSchema();
      default: {
        const message = "this agent does not know this command";
        return { status: CommandStatus.UNSUPPORTED, message };
      }
    }
  }

  #answer(commandId: string, answer: Answer): void {
    this.#deps.answered.set(commandId, answer.status);
    this.#deps.answer(commandId, { ...answer, message: boundedText(answer.message, 4096) });
  }
}

function remember(answered: AnsweredCommands, id: string): void {
  answered.set(id, CommandStatus.UNSPECIFIED);
  if (answered.size <= rememberedCommands) return;
  const oldest = answered.keys().next().value;
  if (oldest !== undefined) answered.delete(oldest);
}
