import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";
import { refuseFiles } from "./chosen-files.ts";
import { demoYaml } from "./templates.ts";

const list = "/e/env-1/pipelines";

test("a chosen file is shown with its components and notices, and becomes a draft", async () => {
  const world = new FakeWorld();
  world.putPipeline({ id: "pipe-1", name: "other", yaml: demoYaml });
  const { user, path } = renderApp(list, world);
  await user.click(await screen.findByRole("button", { name: "Import…" }));
  const input = await screen.findByLabelText("Files of a configuration");
  await user.upload(input, new File([demoYaml], "vector.yaml"));
  expect(await screen.findByText(/^Found \d components$/)).toBeTruthy();
  expect(screen.getByText("data_dir is taken out")).toBeTruthy();
  const name = screen.getByLabelText("Name");
  expect(name).toHaveProperty("value", "vector");
  await user.clear(name);
  await user.type(name, "imported");
  await user.click(screen.getByRole("button", { name: "Create draft" }));
  await expect.poll(path).toBe(`${list}/pipe-2?tab=edit`);
  expect(world.pipeline("pipe-2").yaml).toBe(demoYaml);
});

test("a file with problems shows where, and nothing can be created of it", async () => {
  const world = new FakeWorld();
  const { user } = renderApp(`${list}?import=1`, world);
  const input = await screen.findByLabelText("Files of a configuration");
  await user.upload(input, new File(["broken: 1\n"], "a.yaml"));
  expect(await screen.findByText("the key a is there twice")).toBeTruthy();
  expect(screen.getByText("a.yaml:2")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Create draft" }));
  expect(world.pipelines.size).toBe(0);
});

test("a pasted text is read too", async () => {
  const { user } = renderApp(`${list}?import=1`, new FakeWorld());
  await user.click(await screen.findByText("Paste a text instead"));
  await user.click(screen.getByLabelText("Configuration"));
  await user.paste(demoYaml);
  await user.click(screen.getByRole("button", { name: "Read it" }));
  expect(await screen.findByText(/^Found \d components$/)).toBeTruthy();
});

test("too much is refused before it is sent", () => {
  expect(refuseFiles([])).toBe("There is no file in it.");
  expect(refuseFiles([{ size: 5_000_000 }])).toBeUndefined();
  expect(refuseFiles([{ size: 5_000_001 }])).toBe("The file has 5.0 MB; at most 5 MB are read.");
  expect(refuseFiles(Array.from({ length: 501 }, () => ({ size: 1 })))).toMatch(/at most 500/);
});

test("a draft is downloaded, and what the format cannot hold is said", async () => {
  const downloaded: string[] = [];
  const blobs: Blob[] = [];
  URL.createObjectURL = (blob) => {
    blobs.push(blob as Blob);
    return "blob:x";
  };
  URL.revokeObjectURL = () => {};
  HTMLAnchorElement.prototype.click = function click() {
    downloaded.push(this.download);
  };
  const world = new FakeWorld();
  world.putPipeline({ id: "pipe-1", name: "logs", yaml: demoYaml });
  const { user } = renderApp(`${list}/pipe-1`, world);
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Export…" }));
  const dialog = await screen.findByRole("dialog");
  await user.selectOptions(within(dialog).getByLabelText("Format"), "toml");
  await user.click(within(dialog).getByRole("button", { name: "Download" }));
  expect(await within(dialog).findByText("comments are left out")).toBeTruthy();
  expect(downloaded).toEqual(["logs.toml"]);
  expect(await blobs[0]?.text()).toBe(demoYaml);
});
