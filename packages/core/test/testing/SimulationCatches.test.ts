import { assert, describe, it } from "@effect/vitest"
import { Observation, type Provider, ProviderError } from "@signalbox/core/spi"
import type { Encoded } from "@signalbox/core/store"
import { Simulation, SimulatedProvider } from "@signalbox/core/testing"
import { Effect } from "effect"
import type * as Gate from "../../src/analysis/Gate.ts"
import type * as Graph from "../../src/domain/Graph.ts"
import type * as LeaseKeeper from "../../src/engine/lease/LeaseKeeper.ts"
import type * as StackRollout from "../../src/engine/execution/StackRollout.ts"
import { call, mutationOf, providerOf, refOf, step } from "../../src/engine/step/index.ts"
import { afterEach, vi } from "vitest"

type Found = Promise<Simulation.Report>

const seeds = 200

/** Each search begins a little before a seed that shows its bug; where schedules are drawn otherwise one day, it goes on. */
const simulate = (options: Simulation.Options): Found => Simulation.runPromise({ seeds, shrink: 0, ...options })

/** Simulates with one module of core changed, as a mutation run would. */
const mutated = async <M extends object>(
  path: string,
  change: (original: M) => Partial<M>,
  options: Simulation.Options
): Found => {
  vi.resetModules()
  vi.doMock(path, async (original: () => Promise<M>) => {
    const module = await original()
    return { ...module, ...change(module) }
  })
  const { Simulation } = await import("@signalbox/core/testing")
  return Simulation.runPromise({ seeds, shrink: 0, ...options })
}

afterEach(() => {
  vi.doUnmock("../../src/engine/lease/LeaseKeeper.ts")
  vi.doUnmock("../../src/engine/execution/StackRollout.ts")
  vi.doUnmock("../../src/domain/Graph.ts")
  vi.doUnmock("../../src/analysis/Gate.ts")
  vi.resetModules()
})

/** A simulated cloud whose provider is changed. */
const cloud =
  (
    change: (provider: Provider, cloud: SimulatedProvider.SimulatedProvider) => Provider
  ): Simulation.Parts["providers"] & {} =>
  (scenario) =>
    scenario.clouds.map(({ instances, kind, requestsPerSecond, shape }) => {
      const made = SimulatedProvider.make({
        kind,
        instances,
        requestsPerSecond,
        ...(shape === "full" ? {} : { capabilities: SimulatedProvider.shapes[shape] })
      })
      for (const { script, stack, version } of scenario.scripts) made.script(stack, version, script)
      return { ...made, provider: change(made.provider, made) }
    })

const store =
  (change: (encoded: Encoded["deployments"]) => Partial<Encoded["deployments"]>) =>
  (encoded: Encoded): Encoded => ({
    ...encoded,
    deployments: { ...encoded.deployments, ...change(encoded.deployments) }
  })

/** `retire` as if it believed that requests are always effective. */
const retireBlindly: typeof StackRollout.retire = (stack, plan, capacityPercent, stage) =>
  Effect.gen(function* () {
    const { traffic } = yield* providerOf(stack)
    if (traffic === undefined) return
    const name = `retire/${stack.name}/${capacityPercent}`
    yield* step({
      name,
      operation: "retire",
      stage,
      stack: stack.name,
      success: Observation,
      execute: () =>
        Effect.gen(function* () {
          const mutation = yield* mutationOf(stack, name)
          return yield* call(
            traffic.retire(yield* refOf(stack), { keep: plan.candidate.id, capacityPercent }, mutation)
          )
        })
    })
  })

interface Asked {
  readonly spec: { readonly stacks: ReadonlyArray<Record<string, unknown>> }
}

/** A store that tells runners something else than the request. */
const asked = (
  stack: (stack: Record<string, unknown>) => Record<string, unknown>,
  spec: (spec: Asked["spec"]) => object = (spec) => spec
) =>
  store(({ events }) => ({
    events: (query) =>
      Effect.map(events(query), (rows) =>
        rows.map((row) => {
          if (row.tag !== "ExecutionRequested") return row
          const event = JSON.parse(row.body) as Asked
          return {
            ...row,
            body: JSON.stringify({ ...event, spec: spec({ ...event.spec, stacks: event.spec.stacks.map(stack) }) })
          }
        })
      )
  }))

/** Nothing but processes that stand still. */
const sleepy = {
  ...(Object.fromEntries(Object.keys(Simulation.usualFaults).map((kind) => [kind, 0])) as Partial<Simulation.Faults>),
  stop: 0.9
}

const planted: Record<
  string,
  { readonly invariant: Simulation.Invariant | ReadonlyArray<Simulation.Invariant>; readonly find: () => Found }
> = {
  "an append that ignores its guards": {
    invariant: "one_mutator",
    find: () =>
      simulate({
        // A message to the store that was sent before its process stood still arrives too late.
        faults: { ...sleepy, store_slow: 0.8 },
        // Most writes of a sleeper are harmless repeats.
        seed: 51,
        wrapStore: store(({ commit }) => ({ commit: (write) => commit({ ...write, guards: [] }) }))
      })
  },
  "a check of the lease that always succeeds": {
    invariant: "one_mutator",
    find: () =>
      mutated<typeof LeaseKeeper>(
        "../../src/engine/lease/LeaseKeeper.ts",
        ({ keep }) => ({
          keep: (acquired, ttl) =>
            Effect.map(keep(acquired, ttl), (kept) => ({ ...kept, check: Effect.void, inTime: Effect.void }))
        }),
        { faults: sleepy, seed: 15 }
      )
  },
  "a provider that does its work again for a key that it knows": {
    invariant: "journal_first",
    find: () =>
      simulate({
        seed: 11,
        providers: cloud((provider, { ledger }) => ({
          ...provider,
          stage: (ref, options, mutation) => {
            const before = ledger.find(({ idempotencyKey }) => idempotencyKey === mutation.idempotencyKey)
            if (before !== undefined) (ledger as Array<SimulatedProvider.LedgerEntry>).push(before)
            return provider.stage(ref, options, mutation)
          }
        }))
      })
  },
  // It does an effect again; or it plans again, finds nothing to change in a stack, and proves nothing.
  "a runner that does not see the receipts of the one before": {
    invariant: ["journal_first", "typed_verdicts"],
    find: () =>
      simulate({
        seed: 8,
        wrapStore: store(({ events }) => ({
          events: (query) => Effect.map(events(query), (rows) => rows.filter(({ tag }) => tag !== "StepFinished"))
        }))
      })
  },
  // A repeat is written twice; or it is folded again, which no table allows, and the runner ends with that defect.
  "a store that forgets which events it has": {
    invariant: ["log_is_truth", "no_defects"],
    find: () =>
      simulate({
        faults: { store_lost: 0.9 },
        wrapStore: store(({ head }) => ({
          head: (stream, after) => Effect.map(head(stream, after), (found) => ({ ...found, ids: [] }))
        }))
      })
  },
  "a store that does not write the state beside the events": {
    invariant: "log_is_truth",
    find: () =>
      simulate({
        wrapStore: store(({ commit }) => ({
          commit: (write) => {
            const { environment, ...rest } = write
            const moves = write.events.some(({ tag }) => tag === "StackTransitioned")
            return commit(moves || environment === undefined ? rest : write)
          }
        }))
      })
  },
  "an old release that is retired without looking": {
    invariant: "no_teardown_on_faith",
    find: () =>
      mutated<typeof StackRollout>("../../src/engine/execution/StackRollout.ts", () => ({ retire: retireBlindly }), {
        seed: 8
      })
  },
  "missing data that counts as a pass": {
    invariant: "typed_verdicts",
    find: () =>
      mutated<typeof Gate>(
        "../../src/analysis/Gate.ts",
        ({ judge }) => ({
          judge: (...given) => {
            const judged = judge(...given)
            return judged.verdict === "no_data" ? { ...judged, verdict: "pass" } : judged
          }
        }),
        { seed: 9 }
      )
  },
  "dependencies that go back before their dependents": {
    invariant: "failure_goes_back",
    find: () =>
      mutated<typeof Graph>(
        "../../src/domain/Graph.ts",
        () => ({ reverse: (nodes) => nodes.map(({ dependsOn, name }) => ({ dependsOn, name })) }),
        {}
      )
  },
  "an irreversible stack that is undone": {
    invariant: "failure_goes_back",
    find: () => simulate({ seed: 15, wrapStore: asked((stack) => ({ ...stack, irreversible: undefined })) })
  },
  "a failure that does not go back": {
    invariant: "failure_goes_back",
    find: () =>
      simulate({
        seed: 15,
        wrapStore: asked(
          (stack) => stack,
          (spec) => ({ ...spec, rollback: false })
        )
      })
  },
  "a store whose clock runs fast, and that gives one lease to two": {
    invariant: "one_mutator",
    find: () =>
      simulate({
        wrapStore: (encoded) => ({
          ...encoded,
          leases: {
            ...encoded.leases,
            // A clock that runs fast takes every lease for expired.
            get: (key) => Effect.map(encoded.leases.get(key), ({ lease, now }) => ({ lease, now: now + 5_000 }))
          }
        })
      })
  },
  "an adapter that takes its own earlier work for foreign work": {
    invariant: "as_its_twin",
    find: () => {
      return simulate({
        seed: 900,
        providers: cloud((provider) => {
          const known = new Map<string, number>()
          return {
            ...provider,
            stage: (ref, options, mutation) => {
              const before = known.get(mutation.idempotencyKey) ?? mutation.fence
              known.set(mutation.idempotencyKey, mutation.fence)
              return before === mutation.fence
                ? provider.stage(ref, options, mutation)
                : Effect.fail(
                    new ProviderError({
                      provider: provider.kind,
                      operation: "stage",
                      stackName: ref.stack,
                      reason: { _tag: "Unexpected", message: "it is there already" }
                    })
                  )
            }
          }
        })
      })
    }
  },
  "a mistake in an adapter": {
    invariant: "no_defects",
    find: () =>
      simulate({
        providers: cloud((provider) => ({ ...provider, destroy: () => Effect.die(new Error("not thought of")) }))
      })
  },
  "a rule of one's own": {
    invariant: "custom",
    find: () =>
      simulate({
        check: ({ executions }) =>
          executions.some(({ verdicts }) => verdicts.some(({ verdict }) => verdict === "fail"))
            ? "a gate failed"
            : undefined
      })
  }
}

describe("the simulation catches", () => {
  for (const [name, { find, invariant }] of Object.entries(planted)) {
    it(`${name}`, async () => {
      const { failures } = await find()
      const found = failures.map(({ violation }) => violation.invariant)
      const wanted = [invariant].flat()
      assert.isTrue(
        found.some((one) => wanted.includes(one)),
        failures.map(Simulation.render).join("\n")
      )
    })
  }
})
