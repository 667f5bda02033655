import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { Invocation } from "../main/Invocation.ts"

/** Makes the folder of the state where a path lies within it. Where it cannot be made, the write into it says so. */
export const stateFolderOf = Effect.fnUntraced(function* ({ settings }: Invocation, path: string) {
  const state = Path.join(settings.directory, ".signalbox")
  if (!path.startsWith(state + Path.sep)) return
  const { makeStateFolder } = yield* Effect.promise(() => import("../backend/config.ts"))
  yield* Effect.ignore(Effect.try(() => makeStateFolder(state)))
})
