import { defineConfig } from "vite";
import solid from "vite-plugin-solid";
import { vrlModule } from "./build/vrl-module.ts";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [solid(), vrlModule()],
  worker: { format: "es" },
  build: {
    target: "es2022",
    // Keeps light-dark() native: the lowered form depends on variables that our theme switch does not set.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    outDir: "dist",
    emptyOutDir: true,
    sourcemap: false,
    // Scripts and styles of lazy pages are hashed files of the same origin; nothing is inlined as a data URL.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      "^/vectorflow\\.v1\\.": {
        target: process.env["VECTORFLOW_DEV_API"] ?? "http://127.0.0.1:8080",
        changeOrigin: false,
      },
    },
  },
});
