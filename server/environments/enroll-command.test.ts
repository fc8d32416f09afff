import { expect, test } from "vitest";
import { enrollCommand } from "./enroll-command.ts";

test.each([
  ["https://vf.example.com:8081", false],
  ["http://127.0.0.1:8081", false],
  ["http://localhost:8081", false],
  ["http://[::1]:8081", false],
  ["http://vf.example.com:8081", true],
  ["http://10.0.0.1:8081", true],
  ["http://127.evil.example:8081", true],
])("the command for %s allows plaintext: %s", (url, allowed) => {
  const command = enrollCommand(url, "vfe_x");
  expect(command.startsWith(`node agent/main.ts run --server ${url} --token vfe_x`)).toBe(true);
  expect(command.includes(" --allow-plaintext")).toBe(allowed);
});
