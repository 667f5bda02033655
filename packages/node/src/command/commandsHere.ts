import { LocalCommands } from "@signalbox/core/engine"
import * as Layer from "effect/Layer"
import { killMarked, marked } from "./killing.ts"

/** Lets the engine find the commands of a store on this machine. `store` distinguishes it from others. */
export const commandsHere = (store: () => string): Layer.Layer<never> =>
  Layer.succeed(LocalCommands, {
    store,
    marks: (prefix) => marked((mark) => mark.startsWith(prefix)).map(({ mark }) => mark),
    kill: (prefix) => void killMarked((mark) => mark.startsWith(prefix))
  })
