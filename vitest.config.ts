import { join } from "node:path";
import { defineConfig } from "vitest/config";

const node = {
  environment: "node" as const,
  // For a busy machine; what hangs ends here.
  testTimeout: 90_000,
  hookTimeout: 90_000,
  // Agents, servers and Vectors that tests start as processes begin in half the time.
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/node") },
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...node,
          name: "unit",
          include: ["{common,server,agent,cli,scripts,vrl}/**/*.test.ts"],
          exclude: ["**/*.{db,system}.test.ts"],
        },
      },
      {
        test: {
          ...node,
          name: "db",
          include: ["{server,cli}/**/*.db.test.ts"],
          globalSetup: "server/testing/postgres.ts",
        },
      },
      {
        test: {
          ...node,
          name: "system",
          include: ["server/system/**/*.system.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: { ...node, name: "e2e", include: ["web/e2e/**/*.e2e.ts"] },
      },
      "web/vitest.config.ts",
    ],
  },
});
