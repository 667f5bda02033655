import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { Host } from "../host/Host.ts"

/** Keeps local processes alive after the CLI has ended. */
export const supervisor = Command.make("__supervisor", { directory: Argument.String("directory") }, ({ directory }) =>
  Effect.flatMap(Host, ({ backend }) => backend.supervise(directory))
).pipe(Command.unlisted)
