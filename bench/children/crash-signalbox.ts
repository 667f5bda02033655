// Ten steps of 200 ms; reports when each runs.
import { Effect } from "effect"
import { embeddedStore } from "@signalbox/node"
import { execution } from "./workflow.ts"

const [directory = ""] = process.argv.slice(2)
const step = (n: number) =>
  Effect.andThen(
    Effect.sync(() => console.log(`step ${n} runs`)),
    Effect.sleep("200 millis")
  )
void Effect.runPromise(Effect.provide(execution("crash", 10, step), embeddedStore({ directory }))).then(() =>
  console.log("finished")
)
