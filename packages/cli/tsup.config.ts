import { readFileSync } from "node:fs"
import { defineConfig, type Options } from "tsup"
import { eagerModules } from "./eagerModules.ts"
import { thirdPartyLicenses } from "./thirdPartyLicenses.ts"

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string }

const shared: Options = {
  // Tests build their own copy, which is not rebuilt while they run.
  outDir: process.env.SIGNALBOX_OUT_DIR ?? "dist",
  format: "cjs",
  outExtension: () => ({ js: ".cjs" }),
  target: "node22",
  platform: "node",
  minify: true,
  splitting: false,
  clean: false,
  dts: false,
  // `node:sqlite` has no other name.
  removeNodeProtocol: false,
  silent: true,
  noExternal: [/^(?!node:|\.\/(main|help|guard)\.cjs)/],
  define: { SIGNALBOX_VERSION: JSON.stringify(version) },
  esbuildOptions: (options) => {
    options.conditions = ["@signalbox/source"]
    // Licences are shipped in a file of their own, which costs no start any time.
    options.legalComments = "none"
  }
}

// CommonJS, dependencies and all: loading the same as ES modules would cost another 10 ms. The entry answers --version and
// turns the compile cache on, which holds only for what is loaded after it. The program is built twice: `main` is all of
// it, `help` the same without what a handler loads, because esbuild pays for modules that are loaded later with 10 ms at
// the start. `guard` is what a command of `signalbox run` waits for: Node alone.
export default defineConfig([
  { ...shared, entry: { signalbox: "src/main/signalbox.ts" }, external: ["./main.cjs", "./help.cjs", "./guard.cjs"] },
  { ...shared, entry: { guard: "src/main/guard.ts" } },
  {
    ...shared,
    entry: { main: "src/main/process.ts" },
    minify: false,
    plugins: [eagerModules],
    esbuildPlugins: [thirdPartyLicenses]
  },
  {
    ...shared,
    entry: { help: "src/main/process.ts" },
    esbuildPlugins: [
      {
        name: "without-backends",
        setup: (build) => {
          build.onResolve({ filter: /\/backend\/\w+\.ts$/ }, () => ({ path: "./main.cjs", external: true }))
        }
      }
    ]
  }
])
