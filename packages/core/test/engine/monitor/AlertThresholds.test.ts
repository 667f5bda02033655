import { assert, describe, it } from "@effect/vitest"
import { DeploymentStore, type Execution, StackName, type StoredEvent } from "@signalbox/core/spi"
import { Effect } from "effect"
import { thresholdsFor } from "../../../src/engine/monitor/AlertThresholds.ts"
import { asOf, executionOf, type Made } from "../../analysis/runs.ts"
import { world } from "../support.ts"

const minute = 60_000
const web: Made = { name: "web", stages: [1_000, 1_000, minute, 10_000] }
const wholeMs = minute + 12_000

const history = (count: number, stacks: ReadonlyArray<Made>) =>
  Array.from({ length: count }, (_, n) => executionOf({ id: `h${n}`, at: n * 100_000_000, stacks }))

const now = (stacks: ReadonlyArray<Made>) => asOf(executionOf({ id: "now", at: 1e11, stacks }), 1e11 + 5_000)

/** What is unusual about a running execution, by a store with these others. */
const limits = (
  states: ReadonlyArray<Execution.ExecutionState>,
  execution: Execution.ExecutionState,
  seen: ReadonlyArray<StoredEvent> = []
) =>
  Effect.gen(function* () {
    const store = yield* DeploymentStore
    const executions = () => Effect.succeed({ items: states })
    const found = yield* Effect.provideService(thresholdsFor(execution), DeploymentStore, {
      ...store,
      executions,
      events: () => Effect.succeed(seen)
    })
    return {
      resource: (type: string, elapsedMs: number) =>
        found.unusual!(
          { id: "1", heardAt: 0, stack: StackName.make("web"), stage: "deployment", resource: { name: "r", type } },
          execution,
          elapsedMs
        ),
      whole: found.unusualWhole!,
      deployment: (elapsedMs: number, state = execution) =>
        found.unusual!(
          { id: "1", heardAt: 0, stack: StackName.make(state.stacks[0]!.name), stage: "deployment" },
          state,
          elapsedMs
        )
    }
  }).pipe(Effect.provide(world().layer))

describe("unusual durations", () => {
  it.effect("is work that takes longer than ever, however long people were waited for before", () =>
    Effect.gen(function* () {
      const states = history(30, [web]).map((state, n) =>
        n % 2 === 0 ? state : executionOf({ id: `h${n}`, at: n * 1e8, stacks: [{ ...web, waitMs: 120 * minute }] })
      )
      const { deployment, whole } = yield* limits(states, now([web]))
      assert.isUndefined(whole(wholeMs))
      assert.deepEqual(whole(wholeMs + 1), { threshold: wholeMs, n: 30 })
      assert.isUndefined(deployment(minute))
      assert.deepEqual(deployment(minute + 1), { threshold: minute, n: 30 })
    })
  )

  it.effect("needs 19 executions, not 19 stacks of a few", () =>
    Effect.gen(function* () {
      const names = ["a", "b", "c", "d", "e"]
      const many = names.map((name) => ({ ...web, name }))
      const few = yield* limits(history(6, many), now([web]))
      assert.isUndefined(few.deployment(10 * minute))
      const enough = yield* limits(history(19, many), now([web]))
      assert.deepEqual(enough.deployment(10 * minute), { threshold: minute, n: 19 })
      const none = yield* limits(history(18, [web]), now([web]))
      assert.deepEqual([none.deployment(10 * minute), none.whole(10 * minute)], [undefined, undefined])
    })
  )

  it.effect("compares a first release with first releases, which take all the traffic at once", () =>
    Effect.gen(function* () {
      const first = ({ stacks, ...state }: Execution.ExecutionState): Execution.ExecutionState => ({
        ...state,
        stacks: stacks.map((stack) => ({
          ...stack,
          checkpoint: stack.checkpoint === null ? null : { ...stack.checkpoint, release: null },
          release: null
        }))
      })
      const quick = history(20, [{ ...web, stages: [1_000, 1_000, 5_000, 10_000] }]).map(first)
      const slow = history(20, [web])
      const { deployment } = yield* limits([...slow, ...quick], now([web]))
      const released = first(now([web]))
      assert.isUndefined(deployment(30_000))
      assert.deepInclude(deployment(30_000, released), { threshold: 5_000 })
    })
  )

  it.effect("compares a resource with others of its type, in any stack", () =>
    Effect.gen(function* () {
      const states = history(20, [web])
      const seen = states.flatMap(({ correlationId, startedAt }, n) =>
        [
          [3_000, "db", "Database", false],
          [4_000, "box", "Bucket", false],
          [4_500, "quick", "Bucket", false],
          [4_600, "quick", "Bucket", true],
          [5_000, "box", "Bucket", true],
          // The clock was set back once.
          [n === 0 ? 2_000 : 13_000, "db", "Database", true]
        ].map(
          ([at, resource, resourceType, done]) =>
            ({
              stream: correlationId,
              at: startedAt! + Number(at),
              event: {
                _tag: "ProgressReported",
                stack: "web",
                message: "m",
                resource,
                resourceType,
                ...(done ? { done } : {})
              }
            }) as unknown as StoredEvent
        )
      )
      const { deployment, resource } = yield* limits(states, now([web]), seen)
      assert.isUndefined(resource("Database", 10_000))
      assert.deepEqual(resource("Database", 10_001), { threshold: 10_000, n: 19 })
      assert.deepEqual(resource("Bucket", 1_001), { threshold: 1_000, n: 20 })
      // Of each execution the longest counts.
      assert.isUndefined(resource("Bucket", 1_000))
      assert.isUndefined(resource("Queue", 10 * minute))
      // A stage is compared with stages.
      assert.isUndefined(deployment(minute))
    })
  )
})
