/** Runs single checks of `ProviderSuite` on providers with planted bugs: each check must fail. */
import { assert, describe, it } from "@effect/vitest"
import {
  DeploymentId,
  EnvironmentName,
  type Logs as LogsPort,
  type Mutation,
  type Observation,
  type Provider,
  ProviderError,
  reportProgress,
  StackName,
  type StackRef
} from "@signalbox/core/spi"
import { SimulatedProvider, SlowProvider } from "@signalbox/core/testing"
import { Duration, Effect, Exit } from "effect"
import { Driver } from "../../src/testing/suites/ProviderSuiteDriver.ts"
import * as Failures from "../../src/testing/suites/ProviderSuiteFailures.ts"
import * as Plans from "../../src/testing/suites/ProviderSuitePlans.ts"
import * as Handles from "../../src/testing/suites/ProviderSuiteHandles.ts"
import type { Check } from "../../src/testing/suites/ProviderSuiteGroups.ts"
import * as Groups from "../../src/testing/suites/ProviderSuiteGroups.ts"
import * as Guards from "../../src/testing/suites/ProviderSuiteGuards.ts"
import * as Lasting from "../../src/testing/suites/ProviderSuiteLasting.ts"
import * as Logs from "../../src/testing/suites/ProviderSuiteLogs.ts"
import * as Metrics from "../../src/testing/suites/ProviderSuiteMetrics.ts"
import * as Observing from "../../src/testing/suites/ProviderSuiteObserving.ts"
import * as Resuming from "../../src/testing/suites/ProviderSuiteResuming.ts"

const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties: {}
}

type Cloud = SimulatedProvider.SimulatedProvider

/** Finds one check of a group by its title and runs it on a provider. */
const run = (
  group: (check: Check, cloud: Cloud) => void,
  title: string,
  change: (provider: Provider, cloud: SimulatedProvider.SimulatedProvider) => Provider = (provider) => provider,
  options: SimulatedProvider.SimulatedOptions | Cloud = {}
) =>
  Effect.gen(function* () {
    const cloud = "provider" in options ? options : SimulatedProvider.make(options)
    cloud.script("api", "broken", { broken: "it exits at once" })
    cloud.script("api", "slow", { stageMillis: 500 })
    const found: Array<Parameters<Check>[1]> = []
    group((name, body) => {
      if (name === title) found.push(body)
    }, cloud)
    assert.strictEqual(found.length, 1, `the check "${title}"`)
    const version = (id: string) => id.slice(0, id.lastIndexOf("-"))
    const driver = new Driver({
      provider: change(cloud.provider, cloud),
      // The cloud remembers, and its adapter does not.
      another: Effect.sync(() => change(cloud.provider, cloud)),
      ref,
      live: cloud.live(ref, "v1"),
      alarm: (state) =>
        Effect.as(
          Effect.sync(() => cloud.alarm(`is-${state}`, state)),
          `is-${state}`
        ),
      tamper: {
        fields: ["size", "replicas"],
        change: (field) => Effect.sync(() => cloud.tamper(ref, { field, expected: "2", actual: "1", owned: false }))
      },
      write: (text) => cloud.write(ref, text),
      candidates: {
        v1: { version: "v1" },
        v2: { version: "v2" },
        broken: { version: "broken" },
        slow: { version: "slow" }
      },
      probe: {
        traffic: Effect.map(cloud.inspect(ref), ({ traffic }) =>
          Object.fromEntries(Object.entries(traffic).map(([id, share]) => [version(id), share]))
        ),
        capacity: Effect.map(cloud.inspect(ref), ({ releases }) =>
          Object.fromEntries(releases.map((id) => [version(id), 2]))
        ),
        instances: Effect.sync(() => [`run-${cloud.ledger.filter(({ operation }) => operation === "restart").length}`]),
        effects: (key) => Effect.sync(() => cloud.ledger.filter((entry) => entry.idempotencyKey === key).length)
      }
    })
    return yield* Effect.exit(Effect.scoped(found[0]!(driver)))
  })

const caught = (
  group: (check: Check, cloud: Cloud) => void,
  title: string,
  bug: (provider: Provider, cloud: SimulatedProvider.SimulatedProvider) => Provider,
  options?: SimulatedProvider.SimulatedOptions
) =>
  it.live(title, () =>
    Effect.gen(function* () {
      assert.isTrue(Exit.isSuccess(yield* run(group, title, undefined, options)), "without the bug")
      // On a machine that is busy, a bug of timing may not show at once.
      let seen = false
      for (let tries = 0; tries < 5 && !seen; tries++) seen = Exit.isFailure(yield* run(group, title, bug, options))
      assert.isTrue(seen, "with the bug")
    })
  )

const seeing = (change: (seen: Observation) => Observation) => (provider: Provider) => ({
  ...provider,
  observe: (ref: StackRef) => Effect.map(provider.observe(ref), change)
})

/** Sets its handle only when the operation is over. */
const late = (mutation: Mutation) => {
  let handle: string | null = null
  return {
    finish: Effect.suspend(() => mutation.handle.set(handle)),
    mutation: {
      ...mutation,
      handle: {
        get: mutation.handle.get,
        set: (given: string | null) => Effect.sync(() => void (handle = given))
      }
    }
  }
}

const credentials = (check: Check, cloud: Cloud) =>
  Failures.credentials(check, {
    begin: () => Effect.sync(() => cloud.expire()),
    end: () => Effect.sync(() => cloud.renew())
  })

const throttling = (check: Check, cloud: Cloud) =>
  Failures.throttling(check, {
    begin: () => Effect.sync(() => cloud.throttle(true)),
    end: () => Effect.sync(() => cloud.throttle(false))
  })

const foreign = (check: Check, cloud: Cloud) =>
  Failures.foreign(check, {
    begin: () => cloud.foreign(ref, { description: "console update", millis: 600_000 }),
    end: () => cloud.foreign(ref, null)
  })

const lostAnswers = (check: Check, cloud: Cloud) =>
  Resuming.lostAnswers(check, (_, operation) =>
    Effect.sync(() => cloud.fail({ operation, after: true, reason: { _tag: "Unavailable", message: "cut" } }))
  )

const resuming = (check: Check) => Resuming.resuming(check, { controls: true })

/** What is there already was brought in by others, for this one. */
const alreadyExists = (provider: Provider): Provider => ({
  ...provider,
  stage: (ref, options, mutation) =>
    Effect.flatMap(provider.observe(ref), ({ candidate }) =>
      candidate?.id === options.plan.candidate.id
        ? Effect.fail(new ProviderError({ ...denied, reason: { _tag: "Conflict", message: "it already exists" } }))
        : provider.stage(ref, options, mutation)
    )
})

/** Another key for each call, or for each lease. */
const rekeyed =
  (keyOf: (mutation: Mutation) => string) =>
  (provider: Provider): Provider => ({
    ...provider,
    stage: (ref, options, mutation) => provider.stage(ref, options, { ...mutation, idempotencyKey: keyOf(mutation) })
  })

const busy = { _tag: "Busy", message: "a change set waits", operation: "change set" } as const

const denied = new ProviderError({
  provider: "simulated",
  operation: "stage",
  stackName: "api",
  reason: { _tag: "Denied", message: "no" }
})

describe("the provider suite catches planted bugs", () => {
  caught(resuming, "finishes in another process what was killed at any boundary, and does it once", alreadyExists)
  caught(
    resuming,
    "goes on with an operation that outlives three leases",
    rekeyed(({ fence, idempotencyKey }) => `${idempotencyKey}/${fence}`)
  )
  const lost = "recognizes its own effect after the answer was lost, and does not repeat it"
  caught(lostAnswers, lost, alreadyExists)
  let calls = 0
  caught(
    lostAnswers,
    lost,
    rekeyed(({ idempotencyKey }) => `${idempotencyKey}/${++calls}`)
  )

  const expired = "reports expired credentials as such, and carries on where it was once they are renewed"
  caught(credentials, expired, (provider) => ({
    ...provider,
    stage: (...given) => Effect.mapError(provider.stage(...given), () => denied)
  }))

  caught(
    Handles.handles,
    "picks up in another process what it has begun, by its handle or its key",
    (provider) => ({
      ...provider,
      stage: (ref, options, given) =>
        Effect.suspend(() => {
          const { finish, mutation } = late(given)
          return Effect.tap(provider.stage(ref, options, mutation), () => finish)
        })
    }),
    { handles: true }
  )

  caught(
    Groups.events,
    "begins at a time, so that a long history costs nothing",
    (provider) => ({
      ...provider,
      events: { since: (ref, cursor) => provider.events!.since(ref, cursor, { from: 0 }) }
    }),
    { capabilities: { events: true } }
  )

  caught(
    Groups.events,
    "reports progress under the ids of its events",
    (provider) => ({
      ...provider,
      stage: (ref, options, mutation) =>
        provider.stage(ref, options, { ...mutation, progress: ({ message }) => reportProgress(mutation, message) })
    }),
    { capabilities: { events: true } }
  )

  // A change set that waits for its execution.
  caught(Plans.plans, "leaves nothing behind with a plan that blocks the next one", (provider) => {
    let waiting = false
    return {
      ...provider,
      plan: (ref, candidate, mutation) =>
        Effect.suspend(() => {
          if (waiting) return Effect.fail(new ProviderError({ ...denied, reason: busy }))
          waiting = mutation !== undefined
          return provider.plan(ref, candidate, mutation)
        })
    }
  })

  // It keeps what cannot be stored.
  caught(
    Plans.plans,
    "plans again what it planned, after a crash, and stages it from what the log keeps",
    (provider) => ({
      ...provider,
      plan: (...given) => Effect.map(provider.plan(...given), (plan) => ({ ...plan, data: new Date(0) as never }))
    })
  )

  // It declares what it does not do.
  caught(Groups.compared, "refuses a holder that was overtaken", (provider) => {
    const { provider: lax } = SimulatedProvider.make({ capabilities: { fencing: "guarded" } })
    return { ...lax, capabilities: provider.capabilities }
  })

  // It takes every operation for its own.
  caught(
    foreign,
    "names an operation that others have in progress, and changes nothing beside it",
    seeing((seen) => ({
      ...seen,
      operation: seen.operation === null ? null : { ...seen.operation, foreign: false }
    }))
  )

  // It retries in its own way, and then takes it for an outage.
  caught(
    throttling,
    "reports throttling at once instead of waiting it out, and carries on where it was afterwards",
    (provider) => ({
      ...provider,
      stage: (...given) =>
        Effect.mapError(Effect.retry(provider.stage(...given), { times: 3 }), (error) =>
          error.reason._tag === "Throttled"
            ? new ProviderError({ ...error, reason: { _tag: "Unavailable", message: "no answer" } })
            : error
        )
    })
  )

  // A stack that it cannot see is absent, for this one.
  caught(credentials, expired, (provider) => ({
    ...provider,
    observe: (asked) => Effect.catch(provider.observe(asked), () => SimulatedProvider.make().provider.observe(asked))
  }))

  caught(
    Observing.observing,
    "counts an instance as healthy only once it is ready",
    seeing((seen) => ({
      ...seen,
      health: Object.fromEntries(Object.entries(seen.health).map(([id, { total }]) => [id, { healthy: total, total }]))
    }))
  )

  caught(
    Observing.observing,
    "gives the addresses of releases that are there, and of no others",
    (provider) => {
      let all: Readonly<Record<string, string>> = {}
      const remembering = (seen: Observation): Observation => ({
        ...seen,
        endpoints: (all = { ...all, ...seen.endpoints })
      })
      return {
        ...provider,
        stage: (...given) => Effect.map(provider.stage(...given), remembering),
        observe: (ref) => Effect.map(provider.observe(ref), remembering)
      }
    },
    { endpoints: true }
  )

  // A service scaled to zero.
  caught(
    Observing.observing,
    "reports the health of what is live: of at least one instance, or of the release as a whole",
    seeing((seen) => ({
      ...seen,
      health: Object.fromEntries(Object.keys(seen.health).map((id) => [id, { healthy: 0, total: 0 }]))
    }))
  )

  // It knows the releases that it staged, and no others.
  caught(
    Observing.adoption,
    "takes a live service that it did not deploy for the stable release",
    seeing((seen) =>
      seen.stable?.id.endsWith("foreign") === true ? { ...seen, status: "absent", stable: null } : seen
    ),
    { capabilities: { adopts: true } }
  )

  // Its old releases are pruned, and it does not look.
  caught(
    Observing.wayBack,
    "goes back where it says that it can, and changes nothing by being asked",
    (provider, cloud) => {
      cloud.script("api", "v1", { pruned: true })
      return { ...provider, canGoBack: () => Effect.succeed({ how: "switch", why: "it is still there" }) }
    },
    { capabilities: { canGoBack: true } }
  )

  // No data is not quiet.
  caught(
    Observing.alarms,
    "reads the state of each alarm, and takes missing data for no state",
    (provider) => ({
      ...provider,
      alarms: {
        states: (...given) =>
          Effect.map(provider.alarms!.states(...given), (states) =>
            Object.fromEntries(Object.entries(states).map(([name, state]) => [name, state === "alarm" ? state : "ok"]))
          )
      }
    }),
    { capabilities: { alarms: true } }
  )

  const fields = "finds each field that was changed behind it, and corrects only what is named"
  caught(Groups.corrects, fields, (provider) => ({
    ...provider,
    drift: { ...provider.drift!, detect: () => Effect.succeed([]) }
  }))
  caught(Groups.corrects, fields, (provider) => ({
    ...provider,
    drift: { ...provider.drift!, correct: (ref) => provider.observe(ref) }
  }))
  caught(Groups.corrects, fields, (provider) => ({
    ...provider,
    drift: {
      ...provider.drift!,
      correct: (ref, _, mutation) => provider.drift!.correct(ref, ["size", "replicas"], mutation)
    }
  }))

  const replaces = "replaces everything that runs, once for each key"
  caught(Groups.restart, replaces, (provider) => ({ ...provider, restart: (ref) => provider.observe(ref) }))
  let restarts = 0
  caught(Groups.restart, replaces, (provider) => ({
    ...provider,
    restart: (ref, mutation) => provider.restart!(ref, { ...mutation, idempotencyKey: `restart-${++restarts}` })
  }))

  // Two changes, and the guard of the second one does not count.
  caught(Guards.guards, "changes nothing any more once its guard has failed, at whichever call", (provider) => ({
    ...provider,
    stage: (ref, options, mutation) =>
      Effect.andThen(
        mutation.guard,
        provider.stage(ref, options, { ...mutation, guard: Effect.ignore(mutation.guard) })
      )
  }))
  caught(Guards.guards, "does not bring in a release that it only announced before its lease was lost", (provider) => {
    let announced: Observation["candidate"] = null
    return {
      ...seeing((seen) => ({ ...seen, candidate: seen.candidate ?? announced }))(provider),
      stage: (ref, options, mutation) =>
        Effect.gen(function* () {
          yield* mutation.guard
          announced = options.plan.candidate.version === "slow" ? options.plan.candidate : null
          yield* Effect.sleep(500)
          return yield* provider.stage(ref, options, { ...mutation, guard: Effect.void })
        })
    }
  })

  // Its state is in the memory of a process.
  let made = 0
  caught(Lasting.memory, "sees in another process what was deployed, plans from it, and goes back to it", (provider) =>
    made++ === 0 ? provider : SimulatedProvider.make().provider
  )

  // What it has begun is nowhere written down: once that has failed, the next process begins again.
  it.live("picks up a failure in another process: a slow adapter that forgets its handles", () =>
    Effect.gen(function* () {
      const title = "reports in another process the failure of what it has begun, and does not begin it again"
      const slow = () => SlowProvider.make({ operationMillis: 1_500, cancelMillis: 20, lagMillis: 15, pollMillis: 5 })
      const forgetful = (provider: Provider): Provider => ({
        ...provider,
        stage: (ref, options, mutation) =>
          provider.stage(ref, options, {
            ...mutation,
            handle: { get: Effect.succeed(null), set: () => Effect.void }
          })
      })
      assert.isTrue(Exit.isSuccess(yield* run(Handles.handles, title, undefined, slow())), "without the bug")
      assert.isTrue(Exit.isFailure(yield* run(Handles.handles, title, forgetful, slow())), "with the bug")
    })
  )

  const reads = (check: Check) => Observing.reads(check, { controls: true })
  // The platform's first answer after a change is still the one before it.
  const behind = (provider: Provider): Provider => {
    let old: Observation | undefined
    const late = <A>(ref: StackRef, call: Effect.Effect<A, ProviderError>) =>
      Effect.gen(function* () {
        const before = yield* provider.observe(ref)
        const result = yield* call
        old = before
        return result
      })
    return {
      ...provider,
      observe: (ref) =>
        Effect.suspend(() => {
          const found = old === undefined ? provider.observe(ref) : Effect.succeed(old)
          old = undefined
          return found
        }),
      traffic: {
        shift: (ref, ...given) => late(ref, provider.traffic!.shift(ref, ...given)),
        retire: (ref, ...given) => late(ref, provider.traffic!.retire(ref, ...given))
      }
    }
  }
  caught(reads, "says nothing older than a mutation that has returned", behind)
  // It answers a mutation with an observation from before it.
  caught(reads, "says nothing older than a mutation that has returned", (provider) => ({
    ...provider,
    rollback: (ref, ...given) =>
      Effect.flatMap(provider.observe(ref), (before) => Effect.as(provider.rollback(ref, ...given), before))
  }))

  const logs = (check: Check) => Logs.logs(check, { controls: true })
  const reading =
    (change: (read: LogsPort["read"]) => LogsPort["read"]) =>
    (provider: Provider): Provider => ({ ...provider, logs: { read: change(provider.logs!.read) } })
  const logged = { capabilities: { logs: true } }
  // The first lines instead of the last ones.
  caught(
    logs,
    "reads the last lines of a log, and no line of a stack that is not there",
    reading(
      (read) => (ref, options) =>
        Effect.map(read(ref, { ...options, limit: 1_000 }), (page) => ({
          ...page,
          lines: page.lines.slice(0, options.limit)
        }))
    ),
    logged
  )
  // A page that is cut loses the lines behind the cut.
  caught(
    logs,
    "reads after a cursor each new line once, in order, a page at a time",
    reading(
      (read) => (ref, options) =>
        Effect.map(read(ref, { ...options, limit: 1_000 }), (page) => ({
          ...page,
          lines: options.cursor === null ? page.lines : page.lines.slice(0, options.limit)
        }))
    ),
    logged
  )
  caught(
    logs,
    "keeps the lines of releases apart",
    reading(
      (read) =>
        (ref, { cursor, limit }) =>
          read(ref, { cursor, limit })
    ),
    logged
  )

  const live = { capabilities: { firstRelease: "live" } } as const
  caught(
    (check) => Groups.traffic(check, { ...SimulatedProvider.make(live).provider.capabilities }),
    "gives a first release all traffic at once, as it declares",
    () => SimulatedProvider.make().provider,
    live
  )

  const periods = { metrics: { resolutionMillis: 200, lagMillis: 300 } }

  caught(
    Metrics.metrics,
    "says up to when its measurements are complete, and that time advances",
    (provider) => {
      const { measure, ...metrics } = provider.metrics!
      let first: number | undefined
      return {
        ...provider,
        metrics: {
          ...metrics,
          measure: (ref, options) =>
            Effect.map(measure(ref, options), (measured) => ({ ...measured, until: (first ??= measured.until) }))
        }
      }
    },
    periods
  )

  // It declares no lag, and takes what it has for complete.
  caught(
    Metrics.metrics,
    "counts no request later that was answered before the time of completeness",
    (provider) => {
      const { measure, ...metrics } = provider.metrics!
      return {
        ...provider,
        metrics: {
          ...metrics,
          lag: Duration.zero,
          measure: (ref, options) =>
            Effect.map(measure(ref, options), (measured) => ({ ...measured, until: options.to }))
        }
      }
    },
    periods
  )
})
