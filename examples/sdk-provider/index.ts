/**
 * The plug-in: what a configuration names to have the provider.
 */
import { effectProvider, type Plugin, stackBuilder } from "@signalbox/core/plugin"
import { join } from "node:path"
import * as SiteProvider from "./SiteProvider.ts"

/** The sites are in `root`, a folder beside the configuration (default `sites`). */
export const site = (options: { readonly root?: string } = {}): Plugin => ({
  name: "@signalbox-examples/sdk-provider",
  spiVersion: 1,
  options,
  providers: {
    site: effectProvider(({ directory }) => SiteProvider.make({ directory: join(directory, options.root ?? "sites") }))
  }
})

export default site

/** Builds a stack for `stacks` of a configuration. */
export const siteStack = stackBuilder<{}>("site")
