import solid from "vite-plugin-solid";
import { defineProject } from "vitest/config";
import { vrlModule } from "./build/vrl-module.ts";

export default defineProject({
  root: import.meta.dirname,
  plugins: [solid(), vrlModule()],
  test: {
    name: "web",
    environment: "jsdom",
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
  },
});
