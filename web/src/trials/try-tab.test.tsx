import { create } from "@bufbuild/protobuf";
import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { SampleSchema, SampleState } from "#gen/vectorflow/v1/inspection_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { EventVerdict, UnitTestState } from "#gen/vectorflow/v1/trial_service_pb.ts";

import { demoYaml } from "../pipelines/templates.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";
import { diffLines } from "./diff-lines.ts";

const page = "/e/env-1/pipelines/pipe-1?tab=try";

function world(yaml = demoYaml): FakeWorld {
  const made = new FakeWorld();
  made.putPipeline({ id: "pipe-1", name: "auth-logs", yaml });
  return made;
}

test("tests of the draft show what failed and what was not run, and may be the gate of deploys", async () => {
  const fake = world();
  fake.trials.tests = [
    { name: "keeps errors", state: UnitTestState.PASSED },
    { name: "drops debug", state: UnitTestState.FAILED, messages: ["check[0] failed"] },
    { name: "merges", state: UnitTestState.NOT_RUN, messages: ["reduce runs only in Vector"] },
  ];
  const { user } = renderApp(page, fake);
  expect(await screen.findByText("1 passed, 1 failed, 1 run only in Vector")).toBeTruthy();
  const list = screen.getByRole("list", { name: "Tests" });
  expect(within(list).getByText("check[0] failed")).toBeTruthy();
  await user.click(screen.getByRole("checkbox", { name: "Deploy only when all tests pass" }));
  expect(await screen.findByText("Only passing tests let a deploy through")).toBeTruthy();
  expect(fake.trials.gate).toBe(true);
  await user.click(screen.getByRole("button", { name: "Run on a host" }));
  const onHost = await screen.findByRole("list", { name: "Tests on edge-01" });
  expect(within(onHost).getAllByText("Passed")).toHaveLength(3);
  expect(screen.getByText(/with Vector 0.58.0/)).toBeTruthy();
});

test("a draft without tests or samples shows how it comes to them", async () => {
  renderApp(page, world());
  expect(await screen.findByText("This draft has no tests")).toBeTruthy();
  expect(await screen.findByText("Nothing was sampled yet")).toBeTruthy();
});

test("a draft with errors shows that nothing was run", async () => {
  renderApp(page, world(`${demoYaml}# broken\n`));
  expect(await screen.findByText(/Nothing was run.*it is broken/)).toBeTruthy();
});

test("sampled events show what each transform does with them", async () => {
  const fake = world();
  fake.inspection.samples.push(
    create(SampleSchema, { id: "s1", pipelineId: "pipe-1", state: SampleState.COMPLETED }),
  );
  fake.trials.transforms = [
    {
      componentKey: "parse",
      componentType: "remap",
      events: [
        {
          verdict: EventVerdict.MODIFIED,
          before: `{"a":1,"b":2}`,
          after: [{ output: "", json: `{"a":3,"b":2}` }],
        },
        { verdict: EventVerdict.DROPPED, before: `{"a":5}` },
      ],
    },
    { componentKey: "merge", componentType: "reduce", unknown: "reduce runs only in Vector" },
  ];
  const { user } = renderApp(page, fake);
  const parse = await screen.findByRole("region", { name: "parse" });
  expect(within(parse).getByText("1 modified, 1 dropped")).toBeTruthy();
  await user.click(within(parse).getByText("modified"));
  expect(within(parse).getByLabelText("What changes").textContent).toContain(`- "a": 1\n+ "a": 3`);
  const merge = screen.getByRole("region", { name: "merge" });
  expect(merge.textContent).toContain("reduce runs only in Vector");
});

test("a viewer runs tests and sees no event", async () => {
  const fake = world();
  const [environment] = fake.environments;
  if (environment !== undefined) environment.role = Role.VIEWER;
  fake.user.superAdmin = false;
  fake.trials.gate = true;
  renderApp(page, fake);
  expect(await screen.findByText("Deploys wait for passing tests.")).toBeTruthy();
  expect(await screen.findByText("Raw events are for editors")).toBeTruthy();
});

test("the difference of two events is told by member, nested ones over several lines", () => {
  expect(diffLines(`{"a":{"x":1},"b":2,"c":3}`, `{"a":{"x":1},"b":4,"d":5}`)).toEqual([
    { change: "same", text: `  "a": {` },
    { change: "same", text: `    "x": 1` },
    { change: "same", text: `  }` },
    { change: "removed", text: `- "b": 2` },
    { change: "added", text: `+ "b": 4` },
    { change: "removed", text: `- "c": 3` },
    { change: "added", text: `+ "d": 5` },
  ]);
});
