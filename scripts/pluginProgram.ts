/**
 * Bundles a plug-in for the command, together with the parts of `effect` and `@signalbox/core` that it uses: the command
 * holds both in its own bundle and cannot share them, and loading some 400 modules costs 200 ms at each start.
 *
 * *Details*: the command prefers it by the condition `signalbox` of the package's `exports`. All other dependencies stay
 * where they are.
 */
import type { Options } from "tsup"
import { thirdPartyLicenses } from "../packages/cli/thirdPartyLicenses.ts"

export const pluginProgram: Options = {
  entry: { index: "src/index.ts" },
  outDir: "dist/program",
  format: "esm",
  target: "node22",
  platform: "node",
  splitting: true,
  minify: true,
  clean: true,
  dts: false,
  removeNodeProtocol: false,
  silent: true,
  noExternal: [/^effect(\/|$)/, /^@signalbox\/core(\/|$)/],
  esbuildPlugins: [thirdPartyLicenses],
  esbuildOptions: (options) => {
    options.conditions = ["@signalbox/source"]
    options.legalComments = "none"
  }
}
