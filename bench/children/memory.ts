// Holds this many executions in flight, each in the middle of a step, and reports the memory use.
import { Deferred, Effect } from "effect"
import { embeddedStore } from "@signalbox/node"
import { execution } from "./workflow.ts"

const [directory = "", count = "0"] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const all = yield* Deferred.make<void>()
  let waiting = 0
  const step = (n: number) =>
    n < 5
      ? Effect.void
      : Effect.suspend(() =>
          ++waiting === Number(count) ? Effect.andThen(Deferred.succeed(all, undefined), Effect.never) : Effect.never
        )
  yield* Effect.forEach(
    Array.from({ length: Number(count) }, (_, n) => `m${n}`),
    (id) => Effect.forkChild(execution(id, 10, step)),
    { discard: true }
  )
  if (Number(count) > 0) yield* Deferred.await(all)
  globalThis.gc?.()
  return process.memoryUsage().rss
})
void Effect.runPromise(Effect.provide(main, embeddedStore({ directory }))).then((rss) => {
  console.log(JSON.stringify({ rss }))
  process.exit(0)
})
