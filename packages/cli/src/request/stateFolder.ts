import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { Invocation } from "../main/Invocation.ts"

/** Creates the state folder if a path is inside it. If that fails, the write into it reports it. */
export const stateFolderOf = Effect.fnUntraced(function* ({ settings }: Invocation, path: string) {
  const state = Path.join(settings.directory, ".signalbox")
  if (!path.startsWith(state + Path.sep)) return
  const { makeStateFolder } = yield* Effect.promise(() => import("../backend/config.ts"))
  yield* Effect.ignore(Effect.try(() => makeStateFolder(state)))
})
