// Prints a line for each change that another process makes.
import { Effect, Stream } from "effect"
import { DeploymentStore } from "@signalbox/core/spi"
import { embeddedStore } from "@signalbox/node"

const [directory = ""] = process.argv.slice(2)
const main = Effect.gen(function* () {
  const store = yield* DeploymentStore
  let position = yield* store.head
  let first = true
  yield* Stream.runForEach(store.changes, () =>
    Effect.gen(function* () {
      const events = yield* store.events({ stream: "append", after: position })
      position = events.at(-1)?.position ?? position
      if (first || events.length > 0) process.stdout.write(first ? "ready\n" : "seen\n")
      first = false
    })
  )
})
await Effect.runPromise(Effect.provide(main, embeddedStore({ directory })))
