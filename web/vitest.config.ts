import solid from "vite-plugin-solid";
import { defineProject } from "vitest/config";

export default defineProject({
  root: import.meta.dirname,
  plugins: [solid()],
  test: {
    name: "web",
    environment: "jsdom",
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
  },
});
