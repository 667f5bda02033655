import { assert, describe, it } from "@effect/vitest"
import type { Encoded } from "@signalbox/core/store"
import { Simulation } from "@signalbox/core/testing"
import { Effect, SubscriptionRef } from "effect"
import { afterEach, vi } from "vitest"
import type * as Queue from "../../src/domain/Queue.ts"
import type * as QueuePosition from "../../src/engine/queue/QueuePosition.ts"
import type * as PolicyBlockers from "../../src/engine/admission/PolicyBlockers.ts"
import type * as LeaseKeeper from "../../src/engine/lease/LeaseKeeper.ts"
import type * as Override from "../../src/engine/admission/Override.ts"

type Found = Promise<Simulation.Report>
type Request = Simulation.ScenarioRequest

const none = Object.fromEntries(Object.keys(Simulation.usualFaults).map((kind) => [kind, 0])) as Simulation.Faults

const first: Request = {
  id: "first",
  at: 1_000,
  process: 0,
  kind: "deploy",
  version: "1.0.0",
  environment: "production"
}

/** A request that waits behind the first one. */
const next = (id: string, changes: Partial<Request> = {}): Request => ({
  id,
  at: 1_500,
  process: 1,
  kind: "deploy",
  version: "2.0.0",
  environment: "production",
  queue: "fifo",
  ...changes
})

/** People who ask for one stack at about the same time. */
const line = (...requests: ReadonlyArray<Request>): Simulation.Options => ({
  seeds: 20,
  shrink: 0,
  faults: none,
  scenario: {
    manifest: {
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      leaseTtl: "6 seconds",
      stacks: [{ name: "web", provider: "simulated", gate: { gracePeriod: "0 millis", interval: "1 second" } }]
    },
    clouds: [{ kind: "simulated", shape: "full", instances: 1, requestsPerSecond: 200 }],
    scripts: [],
    commands: [],
    decisions: [],
    processes: 2,
    oneByOne: false,
    requests: [first, ...requests]
  }
})

const mocked = [
  "../../src/domain/Queue.ts",
  "../../src/engine/queue/QueuePosition.ts",
  "../../src/engine/admission/PolicyBlockers.ts",
  "../../src/engine/lease/LeaseKeeper.ts",
  "../../src/engine/admission/Override.ts"
]

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
  return Simulation.runPromise(options)
}

afterEach(() => {
  for (const path of mocked) vi.doUnmock(path)
  vi.resetModules()
})

type Rows = Parameters<Encoded["deployments"]["commit"]>[0]["events"]

/** A store that writes more than requested. */
const writing =
  (more: (rows: Rows) => Rows) =>
  (encoded: Encoded): Encoded => ({
    ...encoded,
    deployments: {
      ...encoded.deployments,
      commit: (write) =>
        encoded.deployments.commit({
          ...write,
          events: more(write.events).map((row, index) => ({ ...row, seq: (write.events[0]?.seq ?? 0) + index }))
        })
    }
  })

const turn = (rows: Rows): Rows => rows.filter(({ tag }) => tag === "ExecutionAdmitted")

const emergency = Array.from({ length: 7 }, (_, index) =>
  next(`emergency-${index + 1}`, { kind: "rollback", at: 1_600 + 10 * index })
)

const planted: Record<string, { readonly invariant: Simulation.Invariant; readonly find: () => Found }> = {
  "a runner that does not look who came first": {
    invariant: "in_turn",
    find: () =>
      mutated<typeof QueuePosition>(
        "../../src/engine/queue/QueuePosition.ts",
        () => ({ queuePosition: () => Effect.succeed({ places: 0, isNext: true }) }),
        line(next("second"), next("third", { at: 1_700 }), next("back", { kind: "rollback", at: 1_900 }))
      )
  },
  "an override that passes requests that could begin": {
    invariant: "in_turn",
    find: () =>
      mutated<typeof Override>(
        "../../src/engine/admission/Override.ts",
        () => ({ overridePasses: (asked) => () => Effect.succeed(asked.override !== undefined) }),
        line(next("second"), next("third", { at: 1_700, override: "it cannot wait" }))
      )
  },
  "rollbacks that always go first": {
    invariant: "in_turn",
    find: () =>
      mutated<typeof Queue>(
        "../../src/domain/Queue.ts",
        ({ before }) => ({
          before: (queue, asked, isWaiting) =>
            before(
              queue.map((ticket) => ({ ...ticket, overtaken: 0 })),
              asked,
              isWaiting
            )
        }),
        line(next("second"), ...emergency)
      )
  },
  "a turn that is taken twice": {
    invariant: "in_turn",
    find: () =>
      Simulation.runPromise({
        ...line(next("second")),
        wrapStore: writing((rows) => [...rows, ...turn(rows).map((row) => ({ ...row, id: "again" }))])
      })
  },
  "an admission of a withdrawn request": {
    invariant: "in_turn",
    find: () => {
      const taken: Array<Rows[number]> = []
      const { scenario, ...options } = line(next("second"), next("third", { at: 6_000 }))
      return Simulation.runPromise({
        ...options,
        scenario: {
          ...scenario,
          decisions: [{ at: 7_000, process: 0, decides: "withdraw", request: "third" }]
        },
        wrapStore: writing((rows) => {
          taken.push(...turn(rows))
          const cancelled = rows.some(({ body }) => body.includes(`"on":"cancelled"`))
          return cancelled ? [...rows, ...taken.slice(0, 1)] : rows
        })
      })
    }
  },
  "a latest one that replaces no request": {
    invariant: "in_turn",
    find: () =>
      mutated<typeof Queue>(
        "../../src/domain/Queue.ts",
        () => ({ displacedBy: () => [] }),
        line(next("second"), next("third", { at: 1_800, queue: "latest_wins" }))
      )
  },
  "an ignored lock": {
    invariant: "in_turn",
    find: () => {
      const { scenario, ...options } = line(next("second"))
      return mutated<typeof PolicyBlockers>(
        "../../src/engine/admission/PolicyBlockers.ts",
        () => ({ policyBlockers: () => Effect.succeed([]) }),
        {
          ...options,
          scenario: { ...scenario, decisions: [{ at: 1_600, process: 0, decides: "hold", environment: "production" }] }
        }
      )
    }
  },
  "a request that is never admitted": {
    invariant: "everything_ends",
    find: () =>
      mutated<typeof QueuePosition>(
        "../../src/engine/queue/QueuePosition.ts",
        ({ queuePosition }) => ({
          queuePosition: (asked) => (asked.kind === "rollback" ? Effect.never : queuePosition(asked))
        }),
        { ...line(next("back", { kind: "rollback" })), seeds: 1 }
      )
  },
  "a queue without departures": {
    invariant: "log_is_truth",
    find: () =>
      mutated<typeof Queue>(
        "../../src/domain/Queue.ts",
        () => ({ take: (queue) => queue, leave: (queue) => queue }),
        line(next("second"))
      )
  },
  "a command that is started again after its runner died": {
    invariant: "journal_first",
    find: () =>
      Simulation.runPromise({
        ...line(next("command", { kind: "run", lasts: 3_000 })),
        seeds: 200,
        faults: { ...none, kill: 0.9 },
        wrapStore: (encoded) => ({
          ...encoded,
          deployments: {
            ...encoded.deployments,
            events: (query) =>
              Effect.map(encoded.deployments.events(query), (rows) =>
                rows.filter(({ tag }) => tag !== "ProcessStarted")
              )
          }
        })
      })
  },
  "a command that does not hear that its lease is over": {
    invariant: "one_mutator",
    find: () =>
      mutated<typeof LeaseKeeper>(
        "../../src/engine/lease/LeaseKeeper.ts",
        ({ keep }) => ({
          keep: (acquired, ttl) =>
            Effect.flatMap(keep(acquired, ttl), (kept) =>
              Effect.map(SubscriptionRef.make(Number.MAX_SAFE_INTEGER), (deadline) => ({ ...kept, deadline }))
            )
        }),
        {
          ...line(next("command", { kind: "run", lasts: 12_000 }), next("second", { at: 1_600 })),
          seeds: 200,
          faults: { ...none, stop: 0.9 }
        }
      )
  }
}

describe("the simulation catches, in the queue,", () => {
  for (const [name, { find, invariant }] of Object.entries(planted)) {
    it(`${name}`, async () => {
      const { failures } = await find()
      assert.strictEqual(failures[0]?.violation.invariant, invariant, failures.map(Simulation.render).join("\n"))
    })
  }

  it("nothing without a planted bug", async () => {
    const { failures } = await Simulation.runPromise({
      ...line(next("second"), ...emergency, next("command", { kind: "run", lasts: 3_000 })),
      seeds: 5
    })
    assert.deepStrictEqual(failures.map(Simulation.render), [])
  })
})
