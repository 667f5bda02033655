/**
 * The contract of every provider, as tests. Authors of an adapter run this suite on it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Capabilities, ProviderError, ProviderGroup } from "../../spi/index.ts"
import * as Failures from "./ProviderSuiteFailures.ts"
import * as Groups from "./ProviderSuiteGroups.ts"
import * as Guards from "./ProviderSuiteGuards.ts"
import * as Handles from "./ProviderSuiteHandles.ts"
import * as Lasting from "./ProviderSuiteLasting.ts"
import * as Logs from "./ProviderSuiteLogs.ts"
import * as Metrics from "./ProviderSuiteMetrics.ts"
import * as Plans from "./ProviderSuitePlans.ts"
import * as Resuming from "./ProviderSuiteResuming.ts"
import * as Observing from "./ProviderSuiteObserving.ts"
import { Driver, type ProviderHarness, reasonOf } from "./ProviderSuiteDriver.ts"

export type { PlatformFault } from "./ProviderSuiteFailures.ts"
export type { AnsweredOperation, LostAnswer } from "./ProviderSuiteResuming.ts"
export type { ProviderHarness, ProviderProbe } from "./ProviderSuiteDriver.ts"

const allGroups: ReadonlyArray<ProviderGroup> = [
  "metrics",
  "drift",
  "restart",
  "events",
  "fence",
  "canGoBack",
  "alarms",
  "logs"
]

/**
 * The options of the suite.
 *
 * *Details*: `capabilities` are the expected ones of the provider, `groups` its optional groups (default none): these
 * are exercised, and others must be absent. `classify` provokes failures of the platform, with the reason that the
 * adapter must report for each; `credentials` makes the credentials of the provider run out, `throttling` makes the
 * platform refuse every call for some time, `foreign` starts an operation that others have in progress, `loseAnswer`
 * loses the answer of a call whose effect has happened, `staleReads` lets the platform answer for a moment with what
 * was before a change. `timeoutMillis` bounds each test (default 120,000); a metric source needs three times its
 * resolution and twice its lag. `concurrent` runs the tests side by side (default false): for a `make` whose harnesses
 * share nothing.
 */
export interface ProviderSuiteOptions {
  readonly capabilities: Capabilities
  readonly groups?: ReadonlyArray<ProviderGroup>
  readonly make: Effect.Effect<ProviderHarness, unknown, Scope.Scope>
  readonly classify?: ReadonlyArray<{
    readonly name: string
    readonly reason: ProviderError["reason"]["_tag"]
    readonly provoke: (harness: ProviderHarness) => Effect.Effect<unknown, ProviderError>
  }>
  readonly credentials?: Failures.PlatformFault
  readonly throttling?: Failures.PlatformFault
  readonly foreign?: Failures.PlatformFault
  readonly loseAnswer?: Resuming.LostAnswer
  readonly staleReads?: Failures.PlatformFault
  readonly timeoutMillis?: number
  readonly concurrent?: boolean
}

/**
 * Declares the suite: call it at the top of a test file.
 *
 * *Example*
 *
 * ```ts
 * ProviderSuite.suite("cloud run", { capabilities, make: Effect.map(Emulator.start, harness) })
 * ```
 */
export const suite = (name: string, options: ProviderSuiteOptions): void => {
  const timeout = options.timeoutMillis ?? 120_000
  const check = (title: string, body: (driver: Driver) => Effect.Effect<unknown, unknown, Scope.Scope>) =>
    it.live(title, () => Effect.scoped(Effect.flatMap(options.make, (harness) => body(new Driver(harness)))), timeout)
  const has = (group: ProviderGroup) => options.groups?.includes(group) === true
  const controls = options.capabilities.traffic !== "none"

  describe(`${name} keeps the Provider port`, { concurrent: options.concurrent === true }, () => {
    check("declares its capabilities honestly", ({ provider }) =>
      Effect.sync(() => {
        assert.deepStrictEqual(provider.capabilities, options.capabilities)
        assert.strictEqual(provider.traffic !== undefined, controls)
        const groups = allGroups.filter((group) => provider[group] !== undefined)
        assert.deepStrictEqual(groups, allGroups.filter(has))
        if (has("fence")) assert.strictEqual(provider.capabilities.fencing, "compared")
      })
    )

    check("observes a stack that is not there as absent", (driver) =>
      Effect.gen(function* () {
        const seen = yield* driver.observe
        assert.strictEqual(seen.status, "absent")
        assert.strictEqual(seen.stable, null)
        assert.strictEqual(seen.candidate, null)
        assert.deepStrictEqual(seen.traffic, [])
      })
    )

    check("plans a first deployment without changing anything", (driver) =>
      Effect.gen(function* () {
        const plan = yield* driver.plan("v1")
        assert.strictEqual(plan.action, "create")
        assert.strictEqual(plan.checkpoint.release, null)
        assert.strictEqual(plan.candidate.version, driver.candidates.v1.version)
        assert.isAbove(plan.changes.length, 0)
        assert.isAbove(plan.rollback.length, 0)
        assert.deepStrictEqual((yield* driver.plan("v1")).candidate, plan.candidate)
        assert.deepStrictEqual(yield* driver.truth, driver.nothing)
        assert.strictEqual((yield* driver.observe).status, "absent")
      })
    )

    check("plans an update against the stable release, and finds that nothing is to be done", (driver) =>
      Effect.gen(function* () {
        yield* driver.deploy("v1")
        const before = yield* driver.truth
        const again = yield* driver.plan("v1")
        const update = yield* driver.plan("v2")
        assert.strictEqual(again.action, "none")
        assert.strictEqual(update.action, "update")
        assert.strictEqual(update.checkpoint.release?.id, again.candidate.id)
        assert.notStrictEqual(update.candidate.id, again.candidate.id)
        assert.deepStrictEqual(yield* driver.truth, before)
      })
    )

    check("stages a candidate beside the stable release", (driver) =>
      Effect.gen(function* () {
        yield* driver.deploy("v1")
        const { plan, seen } = yield* driver.stage("v2")
        const health = seen.health[plan.candidate.id]
        assert.isDefined(health)
        assert.strictEqual(health!.healthy, health!.total)
        yield* driver.serves(controls ? { v1: 100 } : { v2: 100 })
        if (controls) {
          assert.strictEqual(seen.candidate?.id, plan.candidate.id)
          assert.strictEqual(seen.stable?.version, driver.candidates.v1.version)
          assert.deepStrictEqual(
            seen.traffic.filter(({ percent }) => percent > 0),
            [{ releaseId: seen.stable!.id, percent: 100 }]
          )
        } else {
          assert.strictEqual(seen.stable?.id, plan.candidate.id)
        }
      })
    )

    check("tells the truth about what is there, and the outputs that it declares", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const seen = yield* driver.observe
        assert.strictEqual(seen.status, "ready")
        assert.deepStrictEqual(seen.stable, release)
        assert.strictEqual(seen.candidate, null)
        assert.strictEqual(seen.operation, null)
        assert.isNotNull(seen.lastChangedAt)
        assert.deepStrictEqual(seen.traffic, [{ releaseId: release.id, percent: 100 }])
        assert.isAbove(seen.resources.length, 0)
        const declared = options.capabilities.outputs.filter((output) => output !== "*")
        const outputs = Object.keys(seen.outputs)
        const others = outputs.filter((output) => !declared.includes(output))
        assert.includeMembers(outputs, declared)
        if (declared.length === options.capabilities.outputs.length) assert.deepStrictEqual(others, [])
        yield* driver.serves({ v1: 100 })
      })
    )

    check("carries out a mutation once, however often it is repeated", (driver) =>
      Effect.gen(function* () {
        yield* driver.deploy("v1")
        const plan = yield* driver.plan("v2")
        const twice = <A>(key: string, call: (key: string) => Effect.Effect<A, ProviderError>) =>
          Effect.gen(function* () {
            yield* call(key)
            const after = yield* driver.truth
            yield* call(key)
            assert.deepStrictEqual(yield* driver.truth, after)
            yield* driver.tookEffectOnce(key)
          })
        yield* twice("stage-2", (key) =>
          driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation({ key }))
        )
        if (controls) {
          const { retire, shift } = driver.provider.traffic!
          yield* twice("shift-2", (key) =>
            shift(driver.ref, { releaseId: plan.candidate.id, percent: 100 }, driver.mutation({ key }))
          )
          yield* twice("retire-2", (key) =>
            retire(driver.ref, { keep: plan.candidate.id, capacityPercent: 0 }, driver.mutation({ key }))
          )
        }
        const { restart } = driver.provider
        if (restart !== undefined) yield* twice("restart-2", (key) => restart(driver.ref, driver.mutation({ key })))
        yield* twice("rollback-2", (key) =>
          driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation({ key }))
        )
        yield* twice("destroy-2", (key) => driver.provider.destroy(driver.ref, driver.mutation({ key })))
      })
    )

    check("goes back to nothing from a first deployment", (driver) =>
      Effect.gen(function* () {
        const { plan } = yield* driver.stage("v1")
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        assert.strictEqual((yield* driver.observe).status, "absent")
        assert.deepStrictEqual(yield* driver.truth, driver.nothing)
      })
    )

    check("goes back after staging", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const { plan } = yield* driver.stage("v2")
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
      })
    )

    check("goes back after the candidate has taken over", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const plan = yield* driver.plan("v2")
        yield* driver.deploy("v2")
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
      })
    )

    check("names a release that does not come up, and leaves the stable one alone", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const failed = yield* Effect.flip(driver.stage("broken"))
        assert.strictEqual(reasonOf(failed), "Broken")
        const plan = yield* driver.plan("broken")
        assert.strictEqual(plan.checkpoint.release?.id, release.id)
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
      })
    )

    check("destroys, and destroys again", (driver) =>
      Effect.gen(function* () {
        yield* driver.provider.destroy(driver.ref, driver.mutation())
        yield* driver.deploy("v1")
        yield* driver.stage("v2")
        yield* driver.provider.destroy(driver.ref, driver.mutation())
        assert.strictEqual((yield* driver.observe).status, "absent")
        assert.deepStrictEqual(yield* driver.truth, driver.nothing)
        yield* driver.provider.destroy(driver.ref, driver.mutation())
        yield* driver.deploy("v2")
        yield* driver.serves({ v2: 100 })
      })
    )

    check("changes nothing where the guard fails", (driver) =>
      Effect.gen(function* () {
        yield* driver.deploy("v1")
        const { plan } = yield* driver.stage("v2")
        const before = yield* driver.truth
        for (const guarded of driver.mutations(plan, { guard: Effect.fail(driver.lost) })) {
          assert.strictEqual(reasonOf(yield* Effect.flip(guarded)), "Fenced")
          assert.deepStrictEqual(yield* driver.truth, before)
        }
      })
    )

    check("survives an interruption: a repeat finishes, and brings in no more than was asked for", (driver) =>
      Effect.gen(function* () {
        yield* driver.deploy("v1")
        const plan = yield* driver.plan("slow")
        const stage = driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation({ key: "cut" }))
        yield* driver.cut(stage, plan.candidate.id)
        const seen = yield* stage
        const health = seen.health[plan.candidate.id]!
        assert.strictEqual(health.healthy, health.total)
        if (health.unit !== "release") {
          assert.strictEqual((yield* driver.truth).capacity[driver.candidates.slow.version], health.total)
        }
        yield* driver.tookEffectOnce("cut")
      })
    )

    check("goes back from the middle of an interrupted operation, and forth again", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const plan = yield* driver.plan("slow")
        const stage = (key: string) =>
          driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation({ key }))
        yield* driver.cut(stage("cut"), plan.candidate.id)
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
        yield* stage("again")
        yield* driver.serves(controls ? { v1: 100 } : { slow: 100 })
      })
    )

    check("goes back while the operation that it cuts off is still being called", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const plan = yield* driver.plan("slow")
        const stage = yield* Effect.forkChild(
          driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation())
        )
        yield* driver.underWay(plan.candidate.id)
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* Fiber.await(stage)
        yield* driver.isStable("v1", release)
      })
    )

    for (const { name, provoke, reason } of options.classify ?? []) {
      check(`tells ${reason} where ${name}`, (driver) =>
        Effect.gen(function* () {
          assert.strictEqual(reasonOf(yield* Effect.flip(provoke(driver.harness))), reason)
        })
      )
    }

    Observing.observing(check)
    Observing.reads(check, { controls, stale: options.staleReads })
    if (has("alarms")) Observing.alarms(check)
    if (has("logs")) Logs.logs(check, { controls })
    if (has("canGoBack")) Observing.wayBack(check)
    if (has("canGoBack")) Observing.lostWay(check)
    if (controls && options.capabilities.adopts === true) Observing.adoption(check)
    Guards.guards(check)
    Handles.handles(check)
    Lasting.memory(check)
    Lasting.content(check)
    Resuming.resuming(check, { controls })
    if (options.loseAnswer !== undefined) Resuming.lostAnswers(check, options.loseAnswer)
    Plans.plans(check)
    if (options.credentials !== undefined) Failures.credentials(check, options.credentials)
    if (options.throttling !== undefined) Failures.throttling(check, options.throttling)
    if (options.foreign !== undefined) Failures.foreign(check, options.foreign)
    if (controls) Groups.traffic(check, options.capabilities)
    if (has("metrics")) Metrics.metrics(check)
    if (has("drift")) Groups.drift(check)
    if (has("drift")) Groups.corrects(check)
    if (has("restart")) Groups.restart(check)
    if (has("events")) Groups.events(check)
    if (options.capabilities.fencing === "compared") Groups.compared(check)
    if (has("fence")) Groups.fence(check)
  })
}
