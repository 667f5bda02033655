import { CommandsHere } from "@signalbox/core/engine"
import * as Layer from "effect/Layer"
import { killMarked, marked } from "./killing.ts"

/**
 * Lets the engine find the commands of a store on this machine. `store` tells it from others; commands and their children
 * see no more than its hash.
 */
export const commandsHere = (store: () => string): Layer.Layer<never> =>
  Layer.succeed(CommandsHere, {
    // `node:crypto` takes 6 ms to load, and most commands of the CLI begin no command.
    store: () =>
      process.getBuiltinModule("node:crypto").createHash("sha256").update(store()).digest("hex").slice(0, 16),
    marks: (prefix) => marked((mark) => mark.startsWith(prefix)).map(({ mark }) => mark),
    kill: (prefix) => void killMarked((mark) => mark.startsWith(prefix))
  })
