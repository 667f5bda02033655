/**
 * The checks of `ProviderSuite` for logs: people look there when a release does not come up.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { LogLine } from "../../spi/index.ts"
import { type Driver, eventually } from "./ProviderSuiteDriver.ts"
import type { Check } from "./ProviderSuiteGroups.ts"

const textsOf = (lines: ReadonlyArray<LogLine>) => lines.map(({ text }) => text)

const write = (driver: Driver, text: string) =>
  Effect.gen(function* () {
    assert.isDefined(driver.harness.write, "the harness of a provider with logs has `write`")
    yield* driver.harness.write!(text)
  })

/** Writes a line and waits until it can be read. */
const written = (driver: Driver, text: string) =>
  Effect.andThen(
    write(driver, text),
    eventually(
      Effect.map(driver.provider.logs!.read(driver.ref, { cursor: null, limit: 1_000 }), ({ lines }) =>
        textsOf(lines).includes(text)
      ),
      `the log has the line "${text}"`
    )
  )

export const logs = (check: Check, { controls }: { readonly controls: boolean }): void => {
  check("reads the last lines of a log, and no line of a stack that is not there", (driver) =>
    Effect.gen(function* () {
      const { read } = driver.provider.logs!
      assert.deepStrictEqual((yield* read(driver.ref, { cursor: null, limit: 10 })).lines, [])
      const release = yield* driver.deploy("v1")
      for (const text of ["suite one", "suite two", "suite three"]) yield* written(driver, text)
      const { lines } = yield* read(driver.ref, { cursor: null, limit: 2 })
      assert.deepStrictEqual(textsOf(lines), ["suite two", "suite three"])
      for (const line of lines) {
        assert.strictEqual(line.releaseId, release.id)
        assert.isAbove(line.instance.length, 0)
      }
    })
  )

  check("reads after a cursor each new line once, in order, a page at a time", (driver) =>
    Effect.gen(function* () {
      const { read } = driver.provider.logs!
      yield* driver.deploy("v1")
      yield* written(driver, "suite before")
      let { cursor } = yield* read(driver.ref, { cursor: null, limit: 10 })
      const expected = ["suite one", "suite two", "suite three"]
      for (const text of expected) yield* written(driver, text)
      const found: Array<string> = []
      yield* eventually(
        Effect.gen(function* () {
          const page = yield* read(driver.ref, { cursor, limit: 2 })
          assert.isAtMost(page.lines.length, 2)
          found.push(...textsOf(page.lines))
          cursor = page.cursor
          return found.length >= expected.length && page.lines.length === 0
        }),
        "every line was read"
      )
      assert.deepStrictEqual(found, expected)
    })
  )

  check("keeps the lines of releases apart", (driver) =>
    Effect.gen(function* () {
      const { read } = driver.provider.logs!
      const first = yield* driver.deploy("v1")
      yield* written(driver, "suite first")
      const { plan } = yield* driver.stage("v2")
      if (!controls) yield* written(driver, "suite second")
      const all = { cursor: null, limit: 1_000 }
      const ofSecond = yield* read(driver.ref, { ...all, releaseId: plan.candidate.id })
      assert.notInclude(textsOf(ofSecond.lines), "suite first")
      for (const { releaseId } of ofSecond.lines) assert.strictEqual(releaseId, plan.candidate.id)
      if (!controls) return
      const ofFirst = yield* read(driver.ref, { ...all, releaseId: first.id })
      assert.include(textsOf(ofFirst.lines), "suite first")
    })
  )
}
