import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPolicyFile } from "./policy-file.ts";

const isRoot = process.getuid?.() === 0;
const trust = { alsoTrusted: process.getuid?.() };

async function folder() {
  const path = await mkdtemp(join(tmpdir(), "vectorflow-policy-"));
  const file = join(path, "policy.yaml");
  await writeFile(file, "version: 1\npreset: restricted\n", { mode: 0o644 });
  return {
    path,
    file,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
}

describe("readPolicyFile", () => {
  test("reads what nobody else can have written", async () => {
    await using at = await folder();
    expect(await readPolicyFile(at.file, trust)).toMatchObject({
      kind: "read",
      policy: { preset: "restricted", programs: "deny" },
    });
  });

  test.each([
    ["its group can write", 0o664],
    ["everybody can write", 0o646],
  ])("refuses a file that %s", async (_name, mode) => {
    await using at = await folder();
    await chmod(at.file, mode);
    const read = await readPolicyFile(at.file, trust);
    expect(read).toMatchObject({ kind: "refused" });
    expect(JSON.stringify(read)).toContain("chmod go-w");
  });

  test("refuses a file in a folder in which others can replace it", async () => {
    await using at = await folder();
    await mkdir(join(at.path, "open"));
    await chmod(join(at.path, "open"), 0o777);
    const file = join(at.path, "open/policy.yaml");
    await writeFile(file, "version: 1\n", { mode: 0o644 });
    const read = await readPolicyFile(file, trust);
    expect(JSON.stringify(read)).toContain(`${join(at.path, "open")} is writable by`);
  });

  test("refuses a file of another user, whoever the agent is", async () => {
    await using at = await folder();
    // Who is not root has a file of another than root already.
    if (isRoot) await chown(at.file, 12_345, 12_345);
    const read = await readPolicyFile(at.file);
    expect(JSON.stringify(read)).toContain("must be root's");
  });

  test("judges where a link leads, and every folder on its way", async () => {
    await using at = await folder();
    await mkdir(join(at.path, "open"));
    const target = join(at.path, "open/real.yaml");
    await writeFile(target, "version: 1\n", { mode: 0o644 });
    const link = join(at.path, "link.yaml");
    await symlink("open/real.yaml", link);
    expect((await readPolicyFile(link, trust)).kind).toBe("read");
    await chmod(join(at.path, "open"), 0o777);
    expect(JSON.stringify(await readPolicyFile(link, trust))).toContain("open is writable by");
    await chmod(join(at.path, "open"), 0o755);
    await chmod(target, 0o666);
    expect(JSON.stringify(await readPolicyFile(link, trust))).toContain("real.yaml is writable by");
  });

  test.each([
    ["a loop of links", "loop"],
    ["a folder", "folder"],
    ["nothing", "missing"],
  ])("refuses %s", async (_name, what) => {
    await using at = await folder();
    const path = join(at.path, what);
    if (what === "loop") await symlink(path, path);
    if (what === "folder") await mkdir(path);
    expect(await readPolicyFile(path, trust)).toMatchObject({ kind: "refused" });
  });

  test.each([
    ["no YAML", "version: [", "policy.yaml: "],
    ["other keys", "version: 1\nfiels: {}\n", "has no key fiels"],
    ["nothing at all", "", "version must be 1"],
    ["a key twice", "version: 1\nversion: 1\n", "the key version is there twice"],
    ["too much", `# ${"x".repeat(70_000)}`, "larger than 64 KiB"],
    ["an endless alias", "version: &a [*a]\n", ""],
  ])("refuses a file with %s", async (_name, text, problem) => {
    await using at = await folder();
    await writeFile(at.file, text);
    const read = await readPolicyFile(at.file, trust);
    expect(read.kind).toBe("refused");
    expect(JSON.stringify(read)).toContain(problem);
  });

  test("names everything that is wrong at once", async () => {
    await using at = await folder();
    await mkdir(join(at.path, "open"));
    await chmod(join(at.path, "open"), 0o777);
    const file = join(at.path, "open/policy.yaml");
    await writeFile(file, "version: 1\n");
    await chmod(file, 0o666);
    const read = await readPolicyFile(file, trust);
    expect(read.kind === "refused" && read.problems).toHaveLength(2);
  });
});
