import { describe, expect, test } from "vitest";
import { parseCommandLine, type CommandLine } from "./config.ts";
import { UsageError } from "./failures.ts";
import { commandNames } from "./command-table.ts";
import { helpText } from "./help.ts";

const token = { VECTORFLOW_TOKEN: "vfa_abc" };

type Run = Extract<CommandLine, { readonly kind: "command" }>;

function parse(
  args: readonly string[],
  env: Readonly<Record<string, string>> = token,
  files: Readonly<Record<string, string>> = {},
): Run {
  const line = parseCommandLine(args, env, (path) => {
    const text = files[path];
    if (text === undefined) throw new Error("no such file");
    return text;
  });
  if (line.kind !== "command") throw new Error("help was asked for");
  return line;
}

function problemsOf(args: readonly string[], env: Readonly<Record<string, string>> = token) {
  try {
    parse(args, env);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("the command line", () => {
  test("has the server, the token and the environment from flags before the environment", () => {
    expect(parse(["pipelines", "list"])).toMatchObject({
      command: "pipelines list",
      environment: undefined,
      output: "table",
      waitMs: 300_000,
      connection: { baseUrl: "http://127.0.0.1:8080", token: "vfa_abc", ca: undefined },
    });
    const env = { ...token, VECTORFLOW_SERVER: "https://a", VECTORFLOW_ENVIRONMENT: "prod" };
    expect(parse(["nodes", "list"], env)).toMatchObject({
      environment: "prod",
      connection: { baseUrl: "https://a" },
    });
    const args = ["nodes", "list", "--server", "https://b:1/", "-e", "x", "--token-file", "t"];
    expect(parse(args, env, { t: "vfa_file\n" })).toMatchObject({
      environment: "x",
      connection: { baseUrl: "https://b:1", token: "vfa_file" },
    });
    const fromFile = parse(["nodes", "list"], { VECTORFLOW_TOKEN_FILE: "t" }, { t: "vfa_file\n" });
    expect(fromFile.connection?.token).toBe("vfa_file");
  });

  test.each([
    [["--token", "vfa_abc", "nodes", "list"], "there is no --token, because every user"],
    [["--token=vfa_abc", "nodes", "list"], "there is no --token, because every user"],
    [["pipelines"], "pipelines needs one of: list, get"],
    [["pipelines", "drop"], "unknown command pipelines drop: there is list"],
    [["frobnicate"], "unknown command frobnicate"],
    [["pipelines", "get"], "pipelines get needs a NAME"],
    [["pipelines", "get", "a", "b"], "unexpected argument b: quote a name"],
    [["nodes", "list", "x"], "unexpected argument x"],
    [["nodes", "list", "--prune"], "nodes list takes no --prune"],
    [["nodes", "list", "-o", "xml"], "--output must be one of table, json, yaml"],
    [["pipelines", "deploy", "a", "--wait", "soon"], "--wait must be a whole number"],
    [["nodes", "list", "--server", "ftp://a"], "is no http://host:port"],
    [["nodes", "list", "--server", "http://u:p@127.0.0.1"], "is no http://host:port"],
    [["nodes", "list", "--server", "http://a.example"], "the token could be read on the way"],
    [["nodes", "list", "--ca-file", "gone"], "--ca-file cannot be read: no such file"],
    [["nodes", "list", "--nonsense"], "Unknown option '--nonsense'"],
  ])("refuses %j", (args, message) => {
    expect(problemsOf(args)).toContain(message);
  });

  test("asks for a token, without showing what is none", () => {
    expect(problemsOf(["nodes", "list"], {})).toContain("an API token is needed");
    const strange = problemsOf(["nodes", "list"], { VECTORFLOW_TOKEN: "two words" });
    expect(strange).toBe("the API token has characters that no token has");
    expect(parse(["version"], {}).connection).toBeUndefined();
    const far = ["nodes", "list", "--server", "http://a.example", "--allow-plaintext"];
    expect(parse(far).connection?.baseUrl).toBe("http://a.example");
  });
});

test("every command has help with an example that it accepts", () => {
  for (const name of commandNames) {
    const words = name.split(" ");
    expect(parseCommandLine([...words, "--help"], {})).toEqual({ kind: "help", words });
    const text = helpText("vectorflow", words);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    const example = /Example:\n {2}vectorflow (.+)\n/.exec(text)?.[1] ?? "";
    const args = example.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', ""));
    expect(parse(args ?? []).command).toBe(name);
  }
  const overview = helpText("vectorflow", []);
  for (const name of commandNames) expect(overview).toContain(`  ${name}`);
});
