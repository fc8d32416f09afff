import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, describe, expect, test } from "vitest";

import { FakeClock, settle } from "../testing/fake-clock.ts";
import { createDraftSession, saveDelayMs } from "./draft-session.ts";
import type { DraftSession, SavedDraft } from "./draft-session.ts";

let clock: FakeClock;
let stored: SavedDraft;
let saves: string[];
let failure: ConnectError | undefined;
let gate: Promise<void> | undefined;
let session: DraftSession;

beforeEach(() => {
  clock = new FakeClock();
  stored = { yaml: "a: 1", revision: "1", updatedBy: "Anna" };
  saves = [];
  failure = undefined;
  gate = undefined;
  session = createDraftSession(stored, {
    clock,
    async save(revision, yaml) {
      await gate;
      if (failure) throw failure;
      if (revision !== stored.revision) throw new ConnectError("stale", Code.Aborted);
      saves.push(yaml);
      stored = { yaml, revision: String(Number(revision) + 1), updatedBy: "Anna" };
      return stored;
    },
    load: () => Promise.resolve(stored),
  });
});

const kind = (): string => session.state().kind;
const somebodySaves = (yaml: string): void => {
  stored = { yaml, revision: `${stored.revision}0`, updatedBy: "Ben" };
};

test("saves once after a pause", async () => {
  session.edit("a: 2");
  await clock.advance(saveDelayMs - 1);
  session.edit("a: 3");
  await clock.advance(saveDelayMs - 1);
  expect(kind()).toBe("dirty");
  expect(saves).toEqual([]);
  await clock.advance(1);
  expect(saves).toEqual(["a: 3"]);
  expect(kind()).toBe("saved");
  expect(session.revision()).toBe("2");
});

test("what is typed during a save is saved after it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  session.edit("a: 2");
  await clock.advance(saveDelayMs);
  expect(kind()).toBe("saving");
  session.edit("a: 3");
  resolve();
  gate = undefined;
  await settle();
  expect(saves).toEqual(["a: 2", "a: 3"]);
  expect(kind()).toBe("saved");
});

test("flush saves now, and says whether all is saved", async () => {
  session.edit("a: 2");
  expect(await session.flush()).toBe(true);
  failure = new ConnectError("not YAML", Code.InvalidArgument);
  session.edit("a: [");
  expect(await session.flush()).toBe(false);
  expect(session.state()).toMatchObject({ kind: "failed", error: { message: "Not YAML." } });
});

test("tries again by itself when the server was away", async () => {
  failure = new ConnectError("down", Code.Unavailable);
  session.edit("a: 2");
  await clock.advance(saveDelayMs);
  expect(kind()).toBe("failed");
  failure = undefined;
  await clock.advance(5_000);
  expect(saves).toEqual(["a: 2"]);
});

describe("when somebody else saved meanwhile", () => {
  beforeEach(async () => {
    somebodySaves("b: 1");
    session.edit("a: 2");
    await clock.advance(saveDelayMs);
  });

  test("asks, and saves nothing until told", async () => {
    expect(session.state()).toMatchObject({ kind: "conflict", theirs: { updatedBy: "Ben" } });
    session.edit("a: 3");
    await clock.advance(60_000);
    expect(saves).toEqual([]);
    expect(await session.flush()).toBe(false);
  });

  test("shows theirs", () => {
    session.takeTheirs();
    expect(session.text()).toBe("b: 1");
    expect(kind()).toBe("saved");
  });

  test("overwrites on demand", async () => {
    expect(await session.overwrite()).toBe(true);
    expect(saves).toEqual(["a: 2"]);
  });
});

test("a rename by somebody else is no conflict", async () => {
  somebodySaves("a: 1");
  session.edit("a: 2");
  await clock.advance(saveDelayMs);
  expect(saves).toEqual(["a: 2"]);
});

describe("adopting what the server has", () => {
  test("a clean session follows", () => {
    session.adopt({ yaml: "b: 1", revision: "9", updatedBy: "Ben" });
    expect(session.text()).toBe("b: 1");
    expect(session.revision()).toBe("9");
  });

  test("what was typed stays", () => {
    session.edit("a: 2");
    session.adopt({ yaml: "b: 1", revision: "9", updatedBy: "Ben" });
    expect(session.text()).toBe("a: 2");
  });

  // A slow answer to an earlier question must not take back what was saved since.
  test("an old revision of its own changes nothing", async () => {
    session.edit("a: 2");
    await session.flush();
    session.adopt({ yaml: "a: 1", revision: "1", updatedBy: "Anna" });
    expect(session.text()).toBe("a: 2");
  });
});
