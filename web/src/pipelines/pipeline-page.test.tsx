import { create } from "@bufbuild/protobuf";
import { screen, within } from "@solidjs/testing-library";
import { EditorView } from "@codemirror/view";
import { describe, expect, test } from "vitest";

import { Topic } from "#gen/vectorflow/v1/live_service_pb.ts";
import { EnvironmentSchema } from "#gen/vectorflow/v1/environment_pb.ts";
import { DeployStep, PipelineState, ProcessState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { SnippetSchema } from "#gen/vectorflow/v1/snippet_pb.ts";
import { PolicyRefusalSchema } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { aHost, aLogLine, aStatus } from "../testing/builders.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";
import { demoYaml } from "./templates.ts";

const page = "/e/env-1/pipelines/pipe-1";

function deployed(): FakeWorld {
  const world = new FakeWorld();
  world.putHost(aHost({ simulated: true }));
  world.putPipeline({ id: "pipe-1", name: "auth-logs", yaml: demoYaml, deployed: true });
  world.putStatus(aStatus());
  return world;
}

async function editor(): Promise<EditorView> {
  const view = EditorView.findFromDOM(await screen.findByLabelText("Pipeline YAML"));
  if (view === null) throw new Error("no editor");
  return view;
}

function replaceAll(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

describe("overview", () => {
  test("says what runs where", async () => {
    renderApp(page, deployed());
    expect(await screen.findByText("v1 on 1/1 host")).toBeTruthy();
    expect(await screen.findByText("1 of 1 host healthy")).toBeTruthy();
    expect(screen.getByText("simulated")).toBeTruthy();
    expect(screen.getByRole("rowheader", { name: /errors_only/ })).toBeTruthy();
  });

  test("a failure shows its reason, problems and last lines, and can be tried again", async () => {
    const world = deployed();
    const { user } = renderApp(page, world);
    await screen.findByText("1 of 1 host healthy");
    world.putStatus(
      aStatus({
        state: ProcessState.HELD,
        step: DeployStep.ROLLED_BACK,
        reason: "sink print was refused",
        logTail: ["ERROR connection refused"],
      }),
    );
    expect(await screen.findByText("sink print was refused")).toBeTruthy();
    expect(screen.getByText("rolled back")).toBeTruthy();
    expect(screen.getByLabelText("Last log lines").textContent).toBe("ERROR connection refused");
    await user.click(screen.getByRole("button", { name: "Retry" }));
    expect(await screen.findByText("waiting")).toBeTruthy();
  });

  test("undeploys after a question", async () => {
    const { user } = renderApp(page, deployed());
    await user.click(await screen.findByRole("button", { name: "Undeploy" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByLabelText("Reason"), "too noisy");
    await user.click(within(dialog).getByRole("button", { name: "Undeploy" }));
    expect(await screen.findByText("v1 was taken off all hosts")).toBeTruthy();
    expect(screen.getByText("undeployed")).toBeTruthy();
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    expect(await screen.findByText("v1 on 1/1 host")).toBeTruthy();
  });

  test("pauses after a question, and resumes the same version", async () => {
    const { user } = renderApp(page, deployed());
    await user.click(await screen.findByRole("button", { name: "Pause pipeline…" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Pause" }));
    expect(await screen.findByText(/v1 comes back when it is resumed/)).toBeTruthy();
    expect(screen.getByText("paused")).toBeTruthy();
    await user.click(await screen.findByRole("button", { name: "Resume" }));
    expect(await screen.findByRole("button", { name: "Undeploy" })).toBeTruthy();
  });

  test("a deploy while it is paused says that this ends the pause", async () => {
    const world = deployed();
    world.takeOff("pipe-1", PipelineState.PAUSED);
    const { user, path } = renderApp(`${page}?deploy=review`, world);
    expect(await screen.findByText("It is paused.")).toBeTruthy();
    await user.click(await screen.findByRole("button", { name: "Deploy" }));
    await expect.poll(path).toBe(`${page}?deploy=progress`);
    expect(world.pipeline("pipe-1").live.summary?.deployedVersion).toBe(2);
  });

  test("is cloned under another name, and the clone is opened", async () => {
    const { user, path } = renderApp(page, deployed());
    await user.click(await screen.findByRole("button", { name: "More actions" }));
    await user.click(await screen.findByRole("menuitem", { name: "Clone…" }));
    await user.type(await screen.findByLabelText("Name of the clone"), "auth-logs-2");
    await user.click(screen.getByRole("button", { name: "Clone" }));
    await expect.poll(path).toBe("/e/env-1/pipelines/pipe-2?tab=edit");
  });

  test("is promoted only when the other environment has what it refers to", async () => {
    const world = deployed();
    world.environments.push(
      create(EnvironmentSchema, { id: "env-2", name: "Staging", role: Role.EDITOR }),
    );
    world.pipeline("pipe-1").yaml += "# SECRET[es_password]\n";
    world.missingThere.push("es_password");
    const { user } = renderApp(page, world);
    const open = async (): Promise<void> => {
      await user.click(await screen.findByRole("button", { name: "More actions" }));
      await user.click(await screen.findByRole("menuitem", { name: "Promote…" }));
    };
    await open();
    expect(await screen.findByText("missing in Staging")).toBeTruthy();
    expect(screen.getByText("Create secret es_password in Staging first")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Promote" }));
    expect(world.promoted).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    world.missingThere.length = 0;
    await open();
    expect(await screen.findByText("exists there")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Promote" }));
    await expect.poll(() => world.promoted).toEqual(["pipe-1 to env-2"]);
  });
});

describe("editor", () => {
  test("saves what is typed, and shows the draft's changes", async () => {
    const { world } = renderApp(`${page}?tab=edit`, deployed());
    replaceAll(await editor(), `${demoYaml}# more\n`);
    await expect.poll(() => world.pipeline("pipe-1").yaml, { timeout: 3_000 }).toMatch("# more");
    expect(await screen.findByText("v1 on 1/1 host · draft has changes")).toBeTruthy();
    expect(screen.getByText(/^Draft saved/)).toBeTruthy();
  });

  test("problems are listed, marked and jumped to", async () => {
    const { user } = renderApp(`${page}?tab=edit`, deployed());
    const view = await editor();
    replaceAll(view, demoYaml.replace("type: remap", "type: unknown_thing"));
    const problem = await screen.findByRole("button", {
      name: /there is no component type unknown_thing/,
    });
    expect(screen.getByText("1 error", { selector: "h2" })).toBeTruthy();
    await user.click(problem);
    const { head } = view.state.selection.main;
    expect(view.state.sliceDoc(head, head + 13)).toBe("unknown_thing");
    expect(view.contentDOM.querySelector(".cm-lintRange-error")?.textContent).toBe("unknown_thing");
  });

  test("a problem is settled with one click, by its button or under the marked place", async () => {
    const { user } = renderApp(`${page}?tab=edit`, deployed());
    const view = await editor();
    replaceAll(view, demoYaml.replace("type: remap", "type: unknown_thing"));
    await user.click(await screen.findByRole("button", { name: "Make it remap" }));
    expect(view.state.doc.toString()).toBe(demoYaml);
    expect(await screen.findByText("No problems")).toBeTruthy();
  });

  test("a component gets another name wherever it stands", async () => {
    const { user } = renderApp(`${page}?tab=edit`, deployed());
    const view = await editor();
    await screen.findByText("No problems");
    view.focus();
    view.dispatch({ selection: { anchor: demoYaml.indexOf("parse:") + 2 } });
    await user.keyboard("{F2}");
    const dialog = await screen.findByRole("dialog");
    const name = within(dialog).getByLabelText<HTMLInputElement>("New name");
    expect(name.value).toBe("parse");
    await user.clear(name);
    await user.type(name, "print");
    await user.click(within(dialog).getByRole("button", { name: "Rename" }));
    expect(await within(dialog).findByText(/another component is named print/i)).toBeTruthy();
    await user.clear(name);
    await user.type(name, "decode");
    await user.click(within(dialog).getByRole("button", { name: "Rename" }));
    await expect
      .poll(() => view.state.doc.toString())
      .toBe(demoYaml.replaceAll(/\bparse\b/g, "decode"));
  });

  test("somebody else's text is followed while nothing is typed", async () => {
    const { world } = renderApp(`${page}?tab=edit`, deployed());
    const view = await editor();
    const pipeline = world.pipeline("pipe-1");
    pipeline.yaml = "sources: {}\n";
    pipeline.revision = 50;
    world.publish({ changedTopics: [Topic.PIPELINES] });
    await expect.poll(() => view.state.doc.toString()).toBe("sources: {}\n");
  });

  test("a conflict is put to the person, who may take theirs", async () => {
    const { world, user } = renderApp(`${page}?tab=edit`, deployed());
    const view = await editor();
    const pipeline = world.pipeline("pipe-1");
    pipeline.yaml = "sources: {}\n";
    pipeline.revision = 50;
    replaceAll(view, `${demoYaml}# mine\n`);
    await user.click(
      await screen.findByRole("button", { name: "Show theirs" }, { timeout: 3_000 }),
    );
    expect(view.state.doc.toString()).toBe("sources: {}\n");
    expect(pipeline.yaml).toBe("sources: {}\n");
  });
});

describe("deploy", () => {
  test("reviews, deploys with a reason, and follows every host", async () => {
    const world = deployed();
    const { user, path } = renderApp(page, world);
    await user.click(await screen.findByRole("button", { name: "Deploy…" }));
    await expect.poll(path).toBe(`${page}?deploy=review`);
    await user.type(await screen.findByLabelText("Reason"), "because");
    expect(screen.getByText("Goes to 1 host")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Deploy" }));
    await expect.poll(path).toBe(`${page}?deploy=progress`);
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("waiting")).toBeTruthy();
    expect(world.pipeline("pipe-1").versions[0]?.changelog).toBe("because");
    world.putStatus(aStatus({ step: DeployStep.APPLYING, desiredVersion: 2 }));
    expect(await within(dialog).findByText("applying")).toBeTruthy();
    world.putStatus(aStatus({ desiredVersion: 2, effectiveVersion: 2 }));
    expect(await within(dialog).findByText("auth-logs v2 is healthy everywhere")).toBeTruthy();
  });

  test("tells before the deploy which hosts would refuse it, and lets it go", async () => {
    const world = deployed();
    world.policyRefusals.push(
      create(PolicyRefusalSchema, {
        rule: "files.write",
        componentKey: "out",
        field: "path",
        message: '"/etc/x" is outside /srv/out',
        nodeNames: ["edge-01"],
        nodeCount: 1,
      }),
    );
    const { user, path } = renderApp(`${page}?deploy=review`, world);
    expect(await screen.findByText(/1 of 1 host would refuse this/)).toBeTruthy();
    expect(screen.getByText("out.path")).toBeTruthy();
    expect(screen.getByText("files.write on edge-01")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Deploy" }));
    await expect.poll(path).toBe(`${page}?deploy=progress`);
  });

  test("hosts are asked before, and their answers show as they come, until somebody stops", async () => {
    const world = deployed();
    world.putHost(aHost({ name: "edge-02" }));
    const { user } = renderApp(`${page}?deploy=review`, world);
    await user.click(await screen.findByRole("button", { name: "Ask the hosts" }));
    expect(await screen.findByText("0 of 2 hosts answered, 0 would take it")).toBeTruthy();
    world.hostQuestions[0]?.();
    expect(await screen.findByText("1 of 2 hosts answered, 0 would take it")).toBeTruthy();
    const said = screen.getByRole("region", { name: "What hosts say" });
    expect(within(said).getByText("1 host would refuse it")).toBeTruthy();
    expect(within(said).getByText("the policy of this host refuses it")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Stop" }));
    expect(await screen.findByText(/; stopped$/)).toBeTruthy();
    await expect.poll(() => world.hostQuestions.length).toBe(0);
    await user.click(screen.getByRole("button", { name: "Ask again" }));
    await expect.poll(() => world.hostQuestions.length).toBe(1);
    world.hostQuestions[0]?.();
    await expect.poll(() => world.hostQuestions.length).toBe(1);
    world.hostQuestions[0]?.();
    expect(await within(said).findByText("2 hosts would refuse it")).toBeTruthy();
  });

  test("is refused while the draft has errors, naming the component", async () => {
    const world = deployed();
    world.pipeline("pipe-1").yaml = demoYaml.replace("type: remap", "type: unknown_thing");
    const { user } = renderApp(`${page}?deploy=review`, world);
    expect(await screen.findByText("Fix 1 error in parse before deploying")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Deploy" }));
    expect(world.pipeline("pipe-1").versions).toHaveLength(1);
  });
});

test("any two versions are compared: components, options and texts", async () => {
  const world = deployed();
  const pipeline = world.pipeline("pipe-1");
  pipeline.yaml = demoYaml.replace("format: json", "format: syslog");
  world.addVersion(pipeline, "another format");
  const { user } = renderApp(`${page}?tab=versions&version=2`, world);
  const dialog = await screen.findByRole("dialog");
  const select = await within(dialog).findByLabelText("Compare with");
  await within(select).findByRole("option", { name: "Compare with v1: First version" });
  await user.selectOptions(select, "1");
  expect(await within(dialog).findByText("From v1 to v2")).toBeTruthy();
  expect(within(dialog).getByText(/this component restarts, the others go on/)).toBeTruthy();
  expect(within(dialog).getByText("condition")).toBeTruthy();
});

test("an old version is brought back", async () => {
  const world = deployed();
  const pipeline = world.pipeline("pipe-1");
  pipeline.yaml = "sources: {}\n";
  world.addVersion(pipeline, "a mistake");
  const { user, path } = renderApp(`${page}?tab=versions`, world);
  expect(await screen.findByText("a mistake")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Roll back" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Roll back" }));
  await expect.poll(path).toBe(`${page}?tab=versions&deploy=progress`);
  expect(pipeline.yaml).toBe(demoYaml);
  expect(pipeline.versions[0]?.changelog).toBe("Roll back to v1");
});

test("an old version replaces no draft that was saved after the question", async () => {
  const world = deployed();
  const pipeline = world.pipeline("pipe-1");
  world.addVersion(pipeline, "another");
  const { user } = renderApp(`${page}?tab=versions`, world);
  await user.click(await screen.findByRole("button", { name: "Roll back" }));
  const dialog = await screen.findByRole("dialog");
  pipeline.yaml = "sources: {}\n";
  pipeline.revision++;
  world.publishPipeline(pipeline);
  await user.click(within(dialog).getByRole("button", { name: "Roll back" }));
  expect(await within(dialog).findByText(/saved again after you reviewed it/)).toBeTruthy();
  expect(pipeline.yaml).toBe("sources: {}\n");
});

test("the log follows, and is searched", async () => {
  const world = deployed();
  world.logs.push(aLogLine({ text: "first line" }));
  const { user } = renderApp(`${page}?tab=logs`, world);
  expect(await screen.findByText("first line")).toBeTruthy();
  world.logs.push(aLogLine({ text: "second line" }));
  world.publish({});
  expect(await screen.findByText("second line")).toBeTruthy();
  await user.type(screen.getByRole("searchbox", { name: "Search log lines" }), "second");
  await expect.poll(() => screen.queryByText("first line")).toBeNull();
});

test("log lines are opened, walked through and closed by keyboard", async () => {
  const world = deployed();
  for (const text of ["one", "two", "three"]) world.logs.push(aLogLine({ text: `line ${text}` }));
  const { user } = renderApp(`${page}?tab=logs`, world);
  const last = await screen.findByRole("button", { name: /line three/ });
  expect(last.tabIndex).toBe(0);
  last.focus();
  await user.keyboard("{ArrowUp}");
  const middle = screen.getByRole("button", { name: /line two/ });
  expect(document.activeElement).toBe(middle);
  await user.keyboard("{Enter}");
  expect(middle.getAttribute("aria-expanded")).toBe("true");
  expect(screen.getByRole("button", { name: "Close line" })).toBeTruthy();
  await user.keyboard("{Home}");
  expect(document.activeElement).toBe(screen.getByRole("button", { name: /line one/ }));
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("button", { name: "Close line" })).toBeNull();
  expect(document.activeElement).toBe(middle);
});

test("lines from before the tail are loaded on request", async () => {
  const world = deployed();
  world.storedLogs.push(aLogLine({ text: "long ago" }));
  world.logs.push(aLogLine({ text: "just now" }));
  const { user } = renderApp(`${page}?tab=logs`, world);
  await screen.findByText("just now");
  expect(screen.queryByText("long ago")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Load older" }));
  expect(await screen.findByText("long ago")).toBeTruthy();
  expect(screen.getAllByText("just now")).toHaveLength(1);
});

test("versions come page by page (S11)", async () => {
  const world = deployed();
  const pipeline = world.pipeline("pipe-1");
  for (let version = 2; version <= 120; version += 1)
    world.addVersion(pipeline, `change ${version}`);
  const { user } = renderApp(`${page}?tab=versions`, world);
  expect(await screen.findByText("change 120")).toBeTruthy();
  expect(screen.queryByText("change 70")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Older" }));
  expect(await screen.findByText("change 70")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Older" }));
  expect(await screen.findByText("First version")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Older" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Newer" }));
  expect(await screen.findByText("change 70")).toBeTruthy();
});

test("a deleted pipeline leaves for the list", async () => {
  const { user, path } = renderApp(page, deployed());
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete…" }));
  await user.type(await screen.findByLabelText("Type auth-logs to confirm"), "auth-logs");
  await user.click(screen.getByRole("button", { name: "Delete pipeline" }));
  await expect.poll(path).toBe("/e/env-1/pipelines");
});

test("saves a pipeline as a template, with a parameter for what its text leaves open", async () => {
  const world = deployed();
  const { user } = renderApp(page, world);
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Save as template…" }));
  const dialog = await screen.findByRole("dialog");
  const text = await within(dialog).findByLabelText<HTMLTextAreaElement>("Configuration");
  await user.clear(text);
  await user.type(text, "uri: PARAM[[host]");
  await user.selectOptions(within(dialog).getByLabelText("Type of host"), "Secret");
  await user.click(within(dialog).getByRole("button", { name: "Save template" }));
  await expect
    .poll(() => [...world.templates.templates.values()])
    .toMatchObject([
      { yaml: "uri: PARAM[host]", parameters: [{ name: "host", type: 4, required: true }] },
    ]);
});

describe("snippets", () => {
  const snippet = create(SnippetSchema, {
    id: "a",
    name: "A level",
    category: "Enrich",
    code: '.level = "info"\n.seen = true',
    builtIn: true,
    exampleEvent: "{}",
  });

  test("go to the cursor with the indentation of its place", async () => {
    const world = deployed();
    world.templates.snippets.set("a", snippet);
    const { user } = renderApp(`${page}?tab=edit`, world);
    const view = await editor();
    replaceAll(view, "transforms:\n  t:\n    source: |\n      .a = 1\n\nsinks: {}\n");
    const line = view.state.doc.line(5);
    view.dispatch({ selection: { anchor: line.from } });
    await user.click(screen.getByRole("button", { name: "Snippets…" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(await within(dialog).findByLabelText("Filter snippets"), "level");
    await user.click(within(dialog).getByRole("button", { name: "Insert A level" }));
    await expect
      .poll(() => view.state.doc.toString())
      .toContain('      .a = 1\n      .level = "info"\n      .seen = true\nsinks: {}');
  });

  test("of the team are made, with what the compiler says, changed and deleted", async () => {
    const world = deployed();
    world.templates.snippets.set("a", snippet);
    const { user } = renderApp(`${page}?tab=edit`, world);
    await editor();
    await user.click(screen.getByRole("button", { name: "Snippets…" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(await within(dialog).findByRole("button", { name: "New snippet" }));
    expect(within(dialog).queryByRole("button", { name: "Edit A level" })).toBeNull();
    await user.type(within(dialog).getByLabelText("Name"), "Own");
    const program = within(dialog).getByLabelText("Program");
    await user.type(program, "wrong");
    await user.click(within(dialog).getByRole("button", { name: "Save snippet" }));
    expect(await within(dialog).findByText("Does not compile: VRL error 103.")).toBeTruthy();
    await user.clear(program);
    await user.type(program, ".a = 1");
    await user.click(within(dialog).getByRole("button", { name: "Save snippet" }));
    await user.click(await within(dialog).findByRole("button", { name: "Edit Own" }));
    await user.type(within(dialog).getByLabelText("Category"), "Mine");
    await user.click(within(dialog).getByRole("button", { name: "Save snippet" }));
    await expect.poll(() => world.templates.snippets.get("Own")?.category).toBe("Mine");
    await user.click(await within(dialog).findByRole("button", { name: "Delete Own" }));
    await user.click(await screen.findByRole("button", { name: "Delete snippet" }));
    await expect.poll(() => world.templates.snippets.has("Own")).toBe(false);
  });
});
