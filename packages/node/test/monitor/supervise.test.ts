import { it } from "@effect/vitest"
import { Monitoring } from "@signalbox/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, onTestFinished } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"

/**
 * Reports that it works and dies with 5; the second time it dies before it works; the third time it ends as intended.
 */
const mortal = `
const restarts = Number(process.argv[1])
if (restarts === 1) { process.stderr.write("error: no room\\n"); process.exit(3) }
process.stdout.write(JSON.stringify({ restarts }) + "\\n" + '{"cut', () => process.exit(restarts === 2 ? 0 : 5))
`
/** Works until its stdin ends, and leaves a file behind, or never ends. */
const patient = `
const [, manner, file] = process.argv
process.stdin.resume().on("end", () => {
  if (manner === "stubborn") return
  require("node:fs").writeFileSync(file, "")
  process.exit(0)
})
process.on("SIGTERM", () => undefined)
setInterval(() => undefined, 1000)
process.stdout.write("{}\\n")
`

const of = (script: string) => ({ command: [process.execPath, "-e", script], onRestart: () => Effect.void })

describe("a process that is supervised", () => {
  it.live("restarts it when it dies, and tells it how long there was no watcher", () =>
    Effect.gen(function* () {
      const messages: Array<unknown> = []
      const starts: Array<Monitoring.Start> = []
      const deaths: Array<string> = []
      const death = yield* Monitoring.supervise({
        ...of(mortal),
        args: (start) => {
          starts.push(start)
          return [String(start.restarts)]
        },
        maxRestarts: 5,
        onMessage: (message) => Effect.sync(() => void messages.push(message)),
        onRestart: (how) => Effect.sync(() => void deaths.push(Monitoring.deathOf(how))),
        isFinal: ({ code }) => code === 0
      })
      assert.strictEqual(death.code, 0)
      assert.deepEqual(messages, [{ restarts: 0 }, { restarts: 2 }])
      assert.deepEqual(deaths, ["with code 5", "with code 3: error: no room"])
      assert.deepEqual(
        starts.map(({ restarts }) => restarts),
        [0, 1, 2]
      )
      assert.isUndefined(starts[0]!.gapMs)
      // A process that died before it worked has watched nothing.
      assert.isAbove(starts[2]!.gapMs!, starts[1]!.gapMs!)
    })
  )

  it.live("gives up if it dies too often, with the last reason", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Monitoring.supervise({
          ...of("console.error('out of luck'); process.exit(9)"),
          args: () => [],
          maxRestarts: 1,
          onMessage: () => Effect.void,
          isFinal: () => false
        })
      )
      assert.strictEqual(error.deaths, 2)
      assert.strictEqual(error.last, "with code 9: out of luck")
    })
  )

  it.live("is not given up for what lies outside, once it has worked", () =>
    Effect.gen(function* () {
      const script = `
        const restarts = Number(process.argv[1])
        if (restarts !== 0 && restarts !== 3) process.exit(restarts === 4 ? 9 : 6)
        process.stdout.write("{}\\n", () => process.exit(6))`
      const restarts: Array<number | null> = []
      const error = yield* Effect.flip(
        Monitoring.supervise({
          ...of(script),
          args: (start) => [String(start.restarts)],
          maxRestarts: 0,
          onMessage: () => Effect.void,
          onRestart: ({ code }) => Effect.sync(() => void restarts.push(code)),
          isFinal: () => false,
          isOutage: ({ code }) => code === 6
        })
      )
      assert.deepEqual([restarts, error.deaths, error.death.code], [[6, 6, 6, 6], 1, 9])
    })
  )

  it.live("gives up with the error that it printed as JSON", () =>
    Effect.gen(function* () {
      const script = `console.error('warning: slow'); console.error('{"error":{"code":"away","message":"no route"}}'); process.exit(6)`
      const error = yield* Effect.flip(
        Monitoring.supervise({
          ...of(script),
          args: () => [],
          maxRestarts: 0,
          onMessage: () => Effect.void,
          isFinal: () => false
        })
      )
      assert.strictEqual(error.last, "with code 6: no route")
      assert.deepEqual<unknown>(Monitoring.errorOf(error.death), { code: "away", message: "no route" })
    })
  )

  for (const manner of ["obedient", "stubborn"]) {
    it.live(`ends with the one that supervises it: ${manner}`, () =>
      Effect.gen(function* () {
        const works = yield* Queue.unbounded<void>()
        const file = join(
          temporaryDirectory((remove) => onTestFinished(remove)),
          "ended"
        )
        const running = yield* Effect.forkChild(
          Monitoring.supervise({
            ...of(patient),
            args: () => [manner, file],
            maxRestarts: 1,
            onMessage: () => Queue.offer(works, undefined),
            isFinal: () => true
          })
        )
        yield* Queue.take(works)
        const before = performance.now()
        yield* Fiber.interrupt(running)
        assert.strictEqual(existsSync(file), manner === "obedient")
        // It was asked first.
        if (manner === "stubborn") assert.isAbove(performance.now() - before, 4_500)
      })
    )
  }
})
