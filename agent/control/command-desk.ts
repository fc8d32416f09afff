import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CommandStatus, type Command } from "#gen/vectorflow/agent/v1/command_pb.ts";
import type { Clock } from "#common/clock.ts";
import type { Answer, Inspector } from "../inspection/inspector.ts";

/** Commands that were answered, with their answers: a repeat gets no second one (P6). */
export type AnsweredCommands = Map<string, CommandStatus>;

export interface CommandDeskDeps {
  readonly clock: Clock;
  readonly answered: AnsweredCommands;
  readonly inspector: Inspector;
  runner(pipelineId: string): { restart(): Promise<string> } | undefined;
  answer(commandId: string, answer: Answer): void;
}

const rememberedCommands = 1000;

/** Sees to commands: each is done once, in time or not at all, and answered exactly once (P6). */
export class CommandDesk {
  readonly #deps: CommandDeskDeps;

  constructor(deps: CommandDeskDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  async take(command: Command): Promise<void> {
    const { answered, clock } = this.#deps;
    if (answered.has(command.id)) return;
    const expiry = command.expireTime === undefined ? undefined : timestampDate(command.expireTime);
    if (expiry !== undefined && expiry < clock.now()) {
      const message = "the command came too late";
      this.#answer(command.id, { status: CommandStatus.EXPIRED, message });
      return;
    }
    answered.set(command.id, CommandStatus.OK);
    if (answered.size > rememberedCommands) {
      const oldest = answered.keys().next().value;
      if (oldest !== undefined) answered.delete(oldest);
    }
    this.#answer(command.id, await this.#do(command));
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
    this.#deps.answer(commandId, answer);
  }
}
