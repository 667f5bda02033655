/**
 * A provider for static sites on one host, as a plug-in without Effect. It imports types only: nothing of Signalbox is
 * loaded with it.
 */
import type { Plugin } from "@signalbox/core/plugin"
import { join } from "node:path"

/** The sites are in `root`, a folder beside the configuration (default `sites`). */
export const site = (options: { readonly root?: string } = {}): Plugin => ({
  name: "@signalbox-examples/sdk-provider-plain",
  spiVersion: 1,
  options,
  providers: {
    site: {
      capabilities: {
        spiVersion: 1,
        traffic: "switch",
        capacity: false,
        fencing: "guarded",
        outputs: ["path"]
      },
      groups: ["traffic", "canGoBack"],
      checkProperties: (properties) =>
        Object.keys(properties as object).map((key) => ({
          path: [key],
          message: "is not a known key",
          expected: "no keys",
          hint: "A site has no properties."
        })),
      load: async ({ directory }) => (await import("./Site.ts")).make(join(directory, options.root ?? "sites"))
    }
  }
})

export default site
