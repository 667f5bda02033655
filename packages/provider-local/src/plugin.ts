import { effectProvider, type Plugin } from "@signalbox/core/plugin"
import * as LocalProvider from "./LocalProvider.ts"

/**
 * The local provider as a plug-in. The command has it without being told.
 */
export const local = (): Plugin => ({
  name: "@signalbox/provider-local",
  spiVersion: 1,
  providers: {
    [LocalProvider.kind]: effectProvider(({ directory, program, stateDirectory }) =>
      LocalProvider.make({
        directory: stateDirectory,
        cwd: directory,
        ...(program === undefined ? {} : { supervisor: { command: [...program, "__supervisor"] } })
      })
    )
  }
})
