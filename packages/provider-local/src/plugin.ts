import { effectProvider, type Plugin, stackBuilder, type StackBuilder } from "@signalbox/core/plugin"
import * as LocalProvider from "./LocalProvider.ts"
import type { Properties } from "./Properties.ts"

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

/**
 * Builds a stack of the local provider, with typed properties.
 *
 * *Example*
 *
 * ```ts
 * defineConfig({ ..., stacks: [localStack({ name: "web", properties: { command: ["node", "server.mjs"] } })] })
 * ```
 */
export const localStack: StackBuilder<typeof Properties.Encoded> = stackBuilder(LocalProvider.kind)
