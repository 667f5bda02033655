import type { Blocker, BlockerKind, CanDeployAnswer, CanDeployRequest } from "@signalbox/core/api"
import { assert, describe, it } from "@effect/vitest"
import { type Config } from "@signalbox/core/config"
import { CanDeploy, QueueStatus, RunnerIdentity, Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  DeploymentStore,
  EnvironmentName,
  LeaseStore,
  type Manifest,
  type Origin,
  StackName,
  StoreError
} from "@signalbox/core/spi"
import { describeCause } from "@signalbox/core/text"
import { Duration, Effect, Fiber } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import {
  begin,
  canary,
  carryOut,
  config,
  deployed,
  drive,
  gate,
  manifestOf,
  pass,
  production,
  requestOf,
  world
} from "../support.ts"

const web = { name: "web", provider: "simulated", gate } as const
const plain = (changes: Partial<Config> = {}) => config({ stacks: [web], ...changes })

const id = (name: string) => CorrelationId.make(name)
const hour = 3_600_000
const known = (time: number) => ({ low: time, point: time, high: time, basis: "known" as const, n: null })
/** The clock of tests begins at the epoch: one hour of the first day, and one of the second. */
const frozen = { name: "night", cron: "0 1 * * *", duration: "1 hour" }

const question = (
  manifest: Manifest,
  deploymentId: CanDeployRequest["deploymentId"],
  changes: Partial<CanDeployRequest> = {}
): CanDeployRequest => ({ manifest, deploymentId, environment: production, version: "2.0.0", ...changes })

const said = ({ info }: Blocker): string => describeCause(info)

const kinds = ({ blockers }: CanDeployAnswer): ReadonlyArray<BlockerKind> => blockers.map(({ kind }) => kind)

const the = (answer: CanDeployAnswer, kind: BlockerKind): Blocker => {
  const found = answer.blockers.find((blocker) => blocker.kind === kind)
  assert.isDefined(found, `nothing says ${kind}: ${JSON.stringify(answer)}`)
  return found!
}

const origin = (commit: string, committedAt: number): Origin => ({ commit, committedAt })

describe("can-deploy", () => {
  it.effect("says yes if nothing blocks it, even before anything exists", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(plain(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const answer = yield* box.coordination.canDeploy(question(manifest, deploymentId))
      assert.deepInclude(answer, { canDeploy: true, degraded: null, blockers: [], queue: 0, nextFreeze: null })
    }).pipe(Effect.provide(layer))
  })

  it.effect("names the lease holder and the earlier requests; a rollback waits only for the lease", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const a = yield* begin(
        requestOf(manifest, deploymentId, "a", {
          version: "2.0.0",
          by: "ada",
          origin: { workflowRun: "https://ci.example/runs/1" }
        })
      )
      const b = yield* begin(requestOf(manifest, deploymentId, "b", { version: "3.0.0", queue: "fifo", by: "bob" }))
      const answer = yield* box.coordination.canDeploy(question(manifest, deploymentId))
      assert.deepStrictEqual(kinds(answer), ["lease", "queue"])
      assert.strictEqual(answer.queue, 1)
      const held = the(answer, "lease")
      assert.deepInclude(held, { who: "a", consoleUrl: "https://ci.example/runs/1" })
      assert.isAtLeast(held.since ?? -1, 0)
      assert.deepInclude(held.info.remedies ?? [], { _tag: "abort", execution: id("a") })
      assert.include(said(the(answer, "queue")), "b is queued ahead")
      assert.deepStrictEqual(
        kinds(yield* box.coordination.canDeploy(question(manifest, deploymentId, { kind: "rollback" }))),
        ["lease"]
      )
      // A request does not block itself.
      assert.deepStrictEqual(
        kinds(yield* box.coordination.canDeploy(question(manifest, deploymentId, { correlationId: id("b") }))),
        ["lease"]
      )
      assert.deepStrictEqual(
        kinds(yield* box.coordination.canDeploy(question(manifest, deploymentId, { correlationId: id("a") }))),
        []
      )
      yield* drive(yield* Effect.forkChild(Fiber.joinAll([a, b])))
    }).pipe(Effect.provide(layer))
  })

  it.effect("says how reliable its guess is, and nothing about when people will answer", () => {
    const { cloud, layer } = world()
    const approval = { expiresIn: "1 hour", otherwise: "continue" } as const
    // With traffic on it, it does not yield to queued requests.
    const strategy = { type: "canary", steps: [{ weight: 10, bake: "0 millis", approval }] } as const
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(plain({ stacks: [{ ...web, strategy }] }), cloud)
      const deploymentId = yield* deployed(manifest)
      cloud.script("web", "1.1.0", { stageMillis: 120_000 })
      yield* carryOut(requestOf(manifestOf(plain(), cloud), deploymentId, "long", { version: "1.1.0" }))
      cloud.script("web", "2.0.0", { stageMillis: 60_000 })
      const a = yield* begin(requestOf(manifest, deploymentId, "a", { version: "2.0.0" }))
      const b = yield* begin(requestOf(manifest, deploymentId, "b", { version: "3.0.0", queue: "fifo" }))
      const asked = box.coordination.canDeploy(question(manifest, deploymentId))
      const before = yield* asked
      assert.deepInclude(the(before, "lease").clearsAt, { basis: "few", n: 2 })
      assert.deepInclude(the(before, "queue").clearsAt, { basis: "few", n: 2 })
      yield* pass(a, { until: Effect.map(store.execution(id("a")), (state) => state?.status === "paused") })
      const after = yield* asked
      assert.deepStrictEqual([the(after, "lease").clearsAt, the(after, "queue").clearsAt], [null, null])
      const waits = yield* store.execution(id("b"))
      assert.isUndefined((yield* QueueStatus.placeOf(waits!)).left)
      yield* Fiber.interrupt(b)
      yield* Fiber.interrupt(a)
    }).pipe(Effect.provide(layer))
  })

  it.effect("says when a lease without a process ends", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const leases = yield* LeaseStore
      const manifest = manifestOf(plain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const lock = yield* leases.acquire({
        key: `environment/${deploymentId}/production`,
        holder: "gone",
        owner: "dead/1",
        ttl: Duration.minutes(1)
      })
      const asked = box.coordination.canDeploy(question(manifest, deploymentId))
      const knowing = Effect.provideService(asked, RunnerIdentity, {
        owner: "me",
        isDead: (owner) => owner === "dead/1"
      })
      const { expiresAt } = lock
      assert.deepStrictEqual(the(yield* knowing, "lease").clearsAt, known(expiresAt))
      assert.deepInclude(the(yield* knowing, "lease").info.remedies ?? [], { _tag: "cleanup", execution: id("gone") })
      assert.isNull(the(yield* asked, "lease").clearsAt)
      yield* TestClock.adjust("1 minute")
      assert.isTrue((yield* asked).canDeploy)
    }).pipe(Effect.provide(layer))
  })

  it.effect("heeds a person's lock until it is over, whatever is overridden", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(plain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const now = (yield* box.coordination.canDeploy(question(manifest, deploymentId))).checkedAt
      const until = now + hour
      yield* box.coordination.decide(deploymentId, {
        _tag: "EnvironmentLocked",
        environment: production,
        reason: "moving",
        by: "ada",
        until
      })
      const asked = box.coordination.canDeploy(question(manifest, deploymentId, { override: "I know" }))
      const lock = the(yield* asked, "lock")
      assert.deepInclude(lock, { who: "ada", since: now, clearsAt: known(until) })
      assert.strictEqual(lock.info.remedies?.[0]?._tag, "unlock")
      const staging = EnvironmentName.make("staging")
      assert.isTrue(
        (yield* box.coordination.canDeploy(question(manifest, deploymentId, { environment: staging }))).canDeploy
      )
      yield* TestClock.adjust("1 hour")
      assert.isTrue((yield* asked).canDeploy)
    }).pipe(Effect.provide(layer))
  })

  it.effect("respects a freeze, except for rollbacks, and announces the next one a day before", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(plain({ freezes: [frozen] }), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const asked = box.coordination.canDeploy(question(manifest, deploymentId))
      assert.deepStrictEqual((yield* asked).nextFreeze, { name: "night", since: hour, until: 2 * hour })
      yield* TestClock.adjust("90 minutes")
      const answer = yield* asked
      assert.deepInclude(the(answer, "freeze"), {
        since: hour,
        clearsAt: known(2 * hour)
      })
      // The next one begins in more than 23 hours, and less than 24.
      assert.strictEqual(answer.nextFreeze?.since, 25 * hour)
      assert.isTrue(
        (yield* box.coordination.canDeploy(question(manifest, deploymentId, { kind: "rollback" }))).canDeploy
      )
      assert.isTrue(
        (yield* box.coordination.canDeploy(question(manifest, deploymentId, { override: "fire" }))).canDeploy
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives a lock to one of two people at the same moment, and to another only by force", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const deploymentId = yield* deployed(manifestOf(plain(), cloud))
      const lock = (by: string, more: { readonly force?: boolean } = {}) =>
        Effect.result(
          box.coordination.decide(deploymentId, {
            _tag: "EnvironmentLocked",
            environment: production,
            reason: "mine",
            by,
            ...more
          })
        )
      const asked = yield* Effect.forEach(["ada", "bob", "cy", "dee"], (by) => lock(by), { concurrency: "unbounded" })
      const refused = asked.flatMap((one) => (one._tag === "Failure" ? [one.failure] : []))
      assert.deepStrictEqual(
        refused.map((one) => one._tag === "Rejected" && one.code),
        ["already_locked", "already_locked", "already_locked"]
      )
      const taken = yield* Effect.fromResult(yield* lock("eve", { force: true }))
      assert.deepStrictEqual(
        taken.locks?.map(({ by }) => by),
        ["eve"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("heeds a veto on that version in that environment, until it is lifted", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(plain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const told = { version: "2.0.0", environment: production, reason: "loses orders", by: "ada" }
      yield* box.coordination.decide(deploymentId, { _tag: "VersionVetoed", ...told })
      const asked = box.coordination.canDeploy(question(manifest, deploymentId))
      assert.deepInclude(the(yield* asked, "veto"), { who: "ada", clearsAt: null })
      const staging = EnvironmentName.make("staging")
      for (const other of [{ version: "2.0.1" }, { environment: staging }, { kind: "rollback" as const }]) {
        assert.isTrue(
          (yield* box.coordination.canDeploy(question(manifest, deploymentId, other))).canDeploy,
          JSON.stringify(other)
        )
      }
      yield* box.coordination.decide(deploymentId, { _tag: "VetoLifted", ...told })
      assert.isTrue((yield* asked).canDeploy)
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps an older commit from following a newer one", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(plain(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "new", { version: "2.0.0", origin: origin("bbb", 2_000) }))
      const ask = (committedAt: number, more = {}) =>
        box.coordination.canDeploy(question(manifest, deploymentId, { origin: origin("aaa", committedAt), ...more }))
      assert.include(
        said(the(yield* ask(1_000), "stale_order")),
        "commit aaa is older than bbb, which is already deployed"
      )
      assert.isTrue((yield* ask(2_000)).canDeploy)
      assert.isTrue((yield* ask(1_000, { kind: "rollback" })).canDeploy)
      assert.isTrue((yield* ask(1_000, { override: "on purpose" })).canDeploy)
    }).pipe(Effect.provide(layer))
  })

  it.effect("names the stacks and deployments that have to be there first", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const base = manifestOf(plain({ project: "base" }), cloud)
      const { deploymentId: required } = yield* box.deployments.init({ manifest: base, by: "tester" })
      const manifest = manifestOf(config({ requires: [{ deployment: required }] }), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const alone = { kind: "deploy-stack", stacks: [StackName.make("web")] } as const
      const answer = yield* box.coordination.canDeploy(question(manifest, deploymentId, alone))
      assert.deepStrictEqual(answer.blockers.map(said), [
        `it depends on api, which is not deployed`,
        `it requires ${required} in production, which is initialized`
      ])
      yield* carryOut(requestOf(base, required, "base"))
      assert.isTrue((yield* box.coordination.canDeploy(question(manifest, deploymentId))).canDeploy)
    }).pipe(Effect.provide(layer))
  })

  it.effect("sees foreign operations on a stack, and its drift", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(plain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const ref = { deploymentId, environment: production, stack: StackName.make("web"), properties: {} }
      yield* cloud.foreign(ref, { description: "UpdateStack", millis: 60_000 })
      const asked = (override?: string) =>
        box.coordination.canDeploy(question(manifest, deploymentId, override === undefined ? {} : { override }))
      assert.include(said(the(yield* asked("I know"), "provider")), "UpdateStack is in progress and was not started by")
      yield* TestClock.adjust("1 minute")
      cloud.tamper(ref, { field: "memory", expected: "512", actual: "1024", owned: false })
      const drift = the(yield* asked(), "drift")
      assert.include(said(drift), "memory is 1024, not 512")
      assert.isTrue((yield* asked("I know")).canDeploy)
    }).pipe(Effect.provide(layer))
  })

  const unreachable = new StoreError({ operation: "read", reason: "Unavailable", detail: "no route" })
  const away = (reason: StoreError["reason"]) =>
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const gone = Effect.fail(new StoreError({ operation: "read", reason, detail: "no route" }))
      return DeploymentStore.of({ ...store, environment: () => gone, deployment: () => gone })
    })

  it.effect("asks only the providers while the store is unavailable, and says so", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(plain({ freezes: [frozen] }), cloud)
      const deploymentId = yield* deployed(manifest)
      const ref = { deploymentId, environment: production, stack: StackName.make("web"), properties: {} }
      const asked = CanDeploy.canDeploy(question(manifest, deploymentId))
      const gone = yield* away("Unavailable")
      const answer = yield* Effect.provideService(asked, DeploymentStore, gone)
      assert.deepInclude(answer, { canDeploy: true, degraded: "read: no route", blockers: [] })
      yield* cloud.foreign(ref, { description: "UpdateStack", millis: 60_000 })
      assert.deepStrictEqual(kinds(yield* Effect.provideService(asked, DeploymentStore, gone)), ["provider"])
      // The freezes come from the configuration, without asking anything.
      yield* TestClock.adjust("90 minutes")
      assert.deepStrictEqual(kinds(yield* Effect.provideService(asked, DeploymentStore, gone)), ["freeze"])
      const corrupt = yield* Effect.flip(Effect.provideService(asked, DeploymentStore, yield* away("Corrupt")))
      assert.strictEqual(corrupt._tag === "StoreError" ? corrupt.reason : corrupt._tag, "Corrupt")
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not answer if nothing does", () => {
    const { cloud, layer } = world()
    cloud.fail({ operation: "observe", times: 99, reason: { _tag: "Unavailable", message: "no answer" } })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(plain(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const failed = yield* Effect.flip(CanDeploy.canDeployWithoutStore(question(manifest, deploymentId), unreachable))
      assert.strictEqual(failed._tag === "StoreError" ? failed.reason : failed._tag, "Unavailable")
      // With the store there is an answer: that this is not known.
      assert.deepStrictEqual(kinds(yield* box.coordination.canDeploy(question(manifest, deploymentId))), ["provider"])
    }).pipe(Effect.provide(layer))
  })

  it.effect.prop(
    "lists the blockers of a request that would not wait",
    {
      freeze: Arbitrary.schema(Schema.Boolean),
      lock: Arbitrary.schema(Schema.Boolean),
      veto: Arbitrary.schema(Schema.Boolean),
      stale: Arbitrary.schema(Schema.Boolean),
      busy: Arbitrary.schema(Schema.Boolean),
      override: Arbitrary.schema(Schema.Boolean),
      kind: Arbitrary.schema(Schema.Literals(["deploy", "rollback"]))
    },
    ({ busy, freeze, kind, lock, override, stale, veto }) => {
      const { cloud, layer } = world()
      return Effect.gen(function* () {
        const box = yield* Signalbox
        const leases = yield* LeaseStore
        const manifest = manifestOf(
          plain(freeze ? { freezes: [{ name: "long", cron: "0 0 * * *", duration: "12 hours" }] } : {}),
          cloud
        )
        const deploymentId = yield* deployed(manifestOf(plain(), cloud))
        yield* carryOut(
          requestOf(manifestOf(plain(), cloud), deploymentId, "new", { version: "1.1.0", origin: origin("b", 2_000) })
        )
        const told = { environment: production, reason: "r", by: "ada" }
        if (lock) yield* box.coordination.decide(deploymentId, { _tag: "EnvironmentLocked", ...told })
        if (veto) yield* box.coordination.decide(deploymentId, { _tag: "VersionVetoed", version: "2.0.0", ...told })
        const key = `environment/${deploymentId}/production`
        if (busy) yield* leases.acquire({ key, holder: "x", owner: "x", ttl: Duration.minutes(1) })
        const more = {
          kind,
          version: "2.0.0",
          ...(stale ? { origin: origin("a", 1_000) } : {}),
          ...(override ? { override: "on purpose" } : {})
        }
        const answer = yield* box.coordination.canDeploy(question(manifest, deploymentId, more))
        const met = yield* Effect.result(
          box.executions.submit(requestOf(manifest, deploymentId, "asked", { ...more, queue: "reject" }))
        )
        assert.strictEqual(answer.canDeploy, met._tag === "Success", JSON.stringify([answer, met]))
        assert.strictEqual(answer.canDeploy, answer.blockers.length === 0)
        const heeded = [
          busy && "lease",
          lock && "lock",
          !override && kind === "deploy" && [freeze && "freeze", veto && "veto"],
          !override && stale && kind === "deploy" && "stale_order"
        ]
        assert.sameMembers(
          kinds(answer) as Array<unknown>,
          heeded.flat().filter((one) => one !== false)
        )
      }).pipe(Effect.provide(layer))
    },
    { arbitrary: { runs: 24 } }
  )
})
