import { defineConfig } from "tsup"

export default defineConfig({
  entry: { steps: "children/steps-signalbox.ts", crash: "children/crash-signalbox.ts", memory: "children/memory.ts" },
  format: "cjs",
  outDir: "dist",
  minify: true,
  noExternal: [/^(?!node:)/],
  target: "node22",
  removeNodeProtocol: false,
  silent: true,
  clean: false,
  outExtension: () => ({ js: ".cjs" }),
  esbuildOptions: (options) => {
    options.conditions = ["@signalbox/source"]
  }
})
