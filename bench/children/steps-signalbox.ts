// Prints the time of each shape, `1x100` for one execution of 100 steps; the first shape warms up.
import { Effect } from "effect"
import { embeddedStore } from "@signalbox/node"
import { execution } from "./workflow.ts"

const [directory = "", ...shapes] = process.argv.slice(2)

const run = (shape: string, round: number) =>
  Effect.gen(function* () {
    const [executions = 1, steps = 1] = shape.split("x").map(Number)
    const started = performance.now()
    yield* Effect.forEach(
      Array.from({ length: executions }, (_, n) => `r${round}-${n}`),
      (id) => execution(id, steps),
      { concurrency: "unbounded", discard: true }
    )
    return performance.now() - started
  })

const main = Effect.forEach(shapes, (shape, round) => run(shape, round))
void Effect.runPromise(Effect.provide(main, embeddedStore({ directory }))).then((times) =>
  console.log(JSON.stringify({ times, sinceStart: performance.now() }))
)
