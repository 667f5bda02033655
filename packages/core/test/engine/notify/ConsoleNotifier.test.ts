import * as Effect from "effect/Effect"
import { assert, it } from "@effect/vitest"
import { consoleNotifier } from "../../../src/engine/notify/index.ts"
import { NotifierSuite } from "../../../src/testing/index.ts"

NotifierSuite.suite("console", {
  capabilities: { update: false, thread: false, acknowledge: false, dedupe: "none", limits: { bytes: 65_536 } },
  make: Effect.gen(function* () {
    const written: Array<string> = []
    return {
      notifier: yield* consoleNotifier((text) => written.push(text)).make("terminal", {}),
      received: Effect.sync(() => written.map((text, index) => ({ id: String(index), text, raw: text, changes: 0 })))
    }
  })
})

it("refuses options that the channel does not have", () => {
  assert.deepStrictEqual(
    consoleNotifier(() => {})
      .check({ colour: true })
      .map(({ path }) => path),
    [["colour"]]
  )
})
