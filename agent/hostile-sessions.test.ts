import { create, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { expect, vi } from "vitest";
import { SessionResponseSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { CommandStatus } from "#gen/vectorflow/agent/v1/command_pb.ts";
import type { HostilePlane, HostileSession, Response } from "./testing/hostile-plane.ts";
import { hostileSuite, slow, type HostileCase } from "./testing/hostile-suite.ts";

const deceptive = "\0\x07\x1b[2J\r\u202Eevil\u2066";
const future = { seconds: 9_000_000_000_000n, nanos: 0 };
const most = 4_294_967_295;

/** A next session that begins otherwise, after which all is well again. */
function greeting(
  name: string,
  greet: (session: HostileSession, plane: HostilePlane) => void,
  check?: HostileCase["check"],
): HostileCase {
  return {
    name,
    redials: true,
    act: async (session, { plane }) => {
      const begun = Promise.withResolvers<void>();
      plane.greet = (next) => {
        plane.greet = undefined;
        greet(next, plane);
        begun.resolve();
      };
      session.end(status.UNAVAILABLE, "for the next to begin otherwise");
      await begun.promise;
    },
    ...(check && { check }),
  };
}

const bytesOf = (message: Response): Buffer =>
  Buffer.from(toBinary(SessionResponseSchema, create(SessionResponseSchema, { message })));
const answers = (session: HostileSession, id: string) =>
  session.of("commandResult").filter(({ commandId }) => commandId === id);
const command = (id: string, more: object = {}): Response => ({
  case: "command",
  value: { id, ...more },
});
const restart = (pipelineId: string) => ({
  kind: { case: "restartPipeline" as const, value: { pipelineId } },
});
/** The status of the one answer to a command. */
function answered(id: string, expected: CommandStatus): NonNullable<HostileCase["check"]> {
  return async (_stage, session) => {
    await vi.waitFor(
      () => expect(answers(session, id).map((answer) => answer.status)).toEqual([expected]),
      slow,
    );
  };
}

/** Heartbeats come neither more often nor more seldom than a host can bear. */
const beatsSanely: NonNullable<HostileCase["check"]> = async (_stage, session) => {
  const [first, last] = [session.of("heartbeat").length, session.of("heartbeat").length + 3];
  const begun = performance.now();
  await vi.waitFor(() => expect(session.of("heartbeat").length).toBeGreaterThanOrEqual(last), slow);
  expect(performance.now() - begun).toBeGreaterThan((last - first - 1) * 150);
};

const throttle = (heartbeatIntervalMs: number, retryAfterMs = 0): Response => ({
  case: "throttle",
  value: { heartbeatIntervalMs, retryAfterMs },
});

hostileSuite("a session", [
  greeting("with another node in its welcome is not used", (session, plane) =>
    plane.welcome(session, { nodeId: "another" }),
  ),
  greeting("of another installation goes on, and its states are judged", (session, plane) => {
    plane.welcome(session, { installationId: "other" });
    plane.sendState([], { installationId: "other" });
  }),
  greeting("without a welcome is given up", () => {}),
  greeting("that begins with a state instead of a welcome stops nothing", (session, plane) => {
    plane.sendState([]);
    plane.sendState([], { complete: false });
    session.send(command("early", restart("victim")));
    plane.welcome(session);
  }),
  greeting("with silence after the welcome goes on", (session, plane) => plane.welcome(session)),
  greeting("with two welcomes goes on", (session, plane) => {
    plane.welcome(session);
    plane.welcome(session, { nodeId: "node", heartbeatIntervalMs: 300 });
  }),
  greeting("with an interval of nothing keeps its own", (session, plane) => {
    plane.welcome(session, { heartbeatIntervalMs: 0 });
    session.send(throttle(200));
  }),
  greeting(
    "with an interval of a millisecond is no flood",
    (session, plane) => plane.welcome(session, { heartbeatIntervalMs: 1 }),
    beatsSanely,
  ),
  greeting("with an interval of fifty days can be called back", (session, plane) => {
    plane.welcome(session, { heartbeatIntervalMs: most });
    session.send(throttle(200));
  }),
  ...[0, most].map((logCreditLines) =>
    greeting(
      `with a credit of ${logCreditLines} lines still gets logs`,
      (session, plane) => plane.welcome(session, { limits: { logCreditLines } }),
      async (_stage, session) => {
        await vi.waitFor(() => expect(session.of("logBatch").length).toBeGreaterThan(0), slow);
      },
    ),
  ),
  greeting("with a welcome that cannot be read is given up", (session) =>
    session.sendBytes(Buffer.from([0x0a, 3, 0x0a, 1, 0xff])),
  ),
  {
    name: "throttled to nothing keeps its interval",
    act: (session) => session.send(throttle(0, most)),
  },
  {
    name: "throttled to a millisecond is no flood",
    act: (session) => session.send(throttle(1)),
    check: beatsSanely,
  },
  {
    name: "throttled to fifty days can be called back",
    act: (session) => {
      session.send(throttle(most));
      session.send(throttle(200));
    },
  },
  {
    name: "in which log batches are acknowledged that never were goes on",
    act: (session) => {
      for (const sequence of [0n, 1_000_000n, 18_446_744_073_709_551_615n]) {
        for (const creditLines of [0, 1, most]) {
          session.send({ case: "logAck", value: { sequence, creditLines } });
        }
      }
    },
  },
  {
    name: "with unknown kinds goes on",
    act: (session) => session.sendBytes(Buffer.from([0xfa, 0x3e, 2, 0x08, 1])),
  },
  {
    name: "with unknown fields and enum values goes on",
    act: (session) =>
      session.sendBytes(
        Buffer.concat([
          bytesOf({ case: "logAck", value: { sequence: 1n, creditLines: 500 } }),
          Buffer.from([0xc0, 0x3e, 0x7f]),
        ]),
      ),
  },
  ...(
    [
      ["with garbage costs that message", Buffer.from("\xff\xff\xff\xff\xff\xff", "latin1")],
      ["with an empty message goes on", Buffer.alloc(0)],
      [
        "with half a message costs that message",
        bytesOf(command("half", restart("x"))).subarray(0, 6),
      ],
      ["with a text that is no UTF-8 costs that message", Buffer.from([0x1a, 3, 0x0a, 1, 0xff])],
      ["with a wire type that does not exist costs that message", Buffer.from([0x0f, 1, 2, 3])],
      [
        "with a length beyond the message costs that message",
        Buffer.from([0x12, 0xff, 0xff, 0x7f]),
      ],
    ] as const
  ).map(([name, bytes]): HostileCase => ({ name, act: (session) => session.sendBytes(bytes) })),
  {
    name: "with a message beyond the limit is redialled",
    redials: true,
    act: (session) => session.sendBytes(Buffer.alloc(17 * 1024 * 1024)),
  },
  {
    name: "with a command twice answers once (P6)",
    act: (session) => {
      for (let count = 0; count < 5; count++) session.send(command("twice", restart("nothing")));
    },
    check: answered("twice", CommandStatus.FAILED),
  },
  {
    name: "with an expired command says so once",
    act: (session) => {
      const late = command("late", { ...restart("victim"), expireTime: { seconds: 1n, nanos: 0 } });
      session.send(late);
      session.send(late);
    },
    check: answered("late", CommandStatus.EXPIRED),
  },
  {
    name: "with a command that expires at no time obeys it",
    act: (session) => session.send(command("never", { ...restart("nothing"), expireTime: future })),
    check: answered("never", CommandStatus.FAILED),
  },
  {
    name: "with a command of no kind says that it does not know it",
    act: (session) => session.send(command("kindless")),
    check: answered("kindless", CommandStatus.UNSUPPORTED),
  },
  {
    name: "with a command to update itself from anywhere refuses",
    act: (session) =>
      session.send(
        command("update", {
          kind: { case: "selfUpdate", value: { version: "../../x", url: "http://a", sha256: "" } },
        }),
      ),
    check: answered("update", CommandStatus.UNSUPPORTED),
  },
  ...["", "i".repeat(1_048_576)].map((id): HostileCase => ({
    name: `with a command whose id has ${id.length} characters answers nothing`,
    act: (session) => session.send(command(id, restart("victim"))),
    check: (_stage, session) => expect(answers(session, id)).toEqual([]),
  })),
  {
    name: "with a command for a pipeline of a hostile name answers harmlessly",
    act: (session) => session.send(command(deceptive, restart(`../../${deceptive}`))),
    check: answered(deceptive, CommandStatus.FAILED),
  },
  {
    name: "with a flood of commands answers each, and beats on",
    act: (session) => {
      for (let count = 0; count < 2000; count++)
        session.send(command(`flood-${count}`, restart("no")));
    },
    check: async (_stage, session) => {
      const ids = () =>
        session.of("commandResult").filter(({ commandId }) => commandId.startsWith("flood-"));
      await vi.waitFor(() => expect(ids()).toHaveLength(2000), slow);
    },
  },
  {
    name: "with a flood of taps and terminals opens none, and says so",
    act: (session) => {
      for (let count = 0; count < 500; count++) {
        session.send({
          case: "tapStart",
          value: { tapId: `tap-${count}`, pipelineId: "../..", componentIds: [deceptive] },
        });
        session.send({
          case: "terminalOpen",
          value: { terminalId: `terminal-${count}`, columns: most, rows: 0, command: ["sh"] },
        });
      }
    },
    check: async (_stage, session) => {
      await vi.waitFor(() => {
        expect(session.of("tapEvents").length).toBeGreaterThanOrEqual(500);
        expect(session.of("terminalOutput").filter(({ closed }) => closed)).toHaveLength(500);
      }, slow);
    },
  },
  {
    name: "with orders about what was never begun goes on",
    act: (session) => {
      session.send({ case: "tapStop", value: { tapId: deceptive } });
      session.send({
        case: "terminalInput",
        value: { terminalId: "x", content: Buffer.alloc(99) },
      });
      session.send({
        case: "terminalResize",
        value: { terminalId: "x", columns: most, rows: most },
      });
      session.send({ case: "terminalClose", value: { terminalId: "x" } });
    },
  },
  ...[86_400_000, -86_400_000, 4_000_000_000_000].map((offsetMs): HostileCase => ({
    name: `on a host whose clock jumps by ${offsetMs / 3_600_000} hours goes on`,
    act: async (session, stage) => {
      for (const offset of [offsetMs, 0]) {
        stage.setClock(offset);
        const before = session.of("heartbeat").length;
        await vi.waitFor(
          () => expect(session.of("heartbeat").length).toBeGreaterThan(before + 2),
          slow,
        );
      }
    },
    check: (_stage, session) => {
      const beats = session.of("heartbeat").slice(-8);
      expect(Math.max(...beats.map(({ intervalMs }) => intervalMs))).toBeLessThanOrEqual(
        86_400_000,
      );
      // Numbers over an interval that nobody measured are left out.
      const covered = beats.flatMap(({ pipelines }) =>
        pipelines.flatMap(({ metrics }) => metrics ?? []),
      );
      for (const { intervalMs } of covered) expect(intervalMs).toBeLessThan(60_000);
    },
  })),
  ...Object.entries(status)
    .filter(([, code]) => typeof code === "number")
    .map(([name, code]): HostileCase => ({
      name: `that ends with ${name} is redialled`,
      redials: true,
      act: (session) => session.end(code as status, `${deceptive}${"x".repeat(2000)}`),
    })),
] satisfies readonly HostileCase[]);
