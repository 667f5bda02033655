import { assert, describe, it } from "@effect/vitest"
import { CorrelationId, type Event } from "@signalbox/core/spi"
import { Effect } from "effect"
import { makeDeploymentStore } from "../../src/store/DeploymentStore.ts"
import { makeMemory } from "../../src/store/Memory.ts"
import { initialized, place, requested } from "../../src/testing/suites/storeHistories.ts"

describe("an append", () => {
  it.effect("ends an execution in its environment, whatever this process saw of the environment before", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { deployments } = makeMemory()
        const one = yield* makeDeploymentStore(deployments)
        const other = yield* makeDeploymentStore(deployments)
        const where = yield* place
        const first = CorrelationId.make("first")
        const second = CorrelationId.make("second")
        const moved = (
          on: "started" | "completed"
        ): { readonly id: string; readonly at: number; readonly event: Event } => ({
          id: on,
          at: 2_000,
          event: { _tag: "ExecutionTransitioned", on }
        })
        yield* one.append({ stream: where.deploymentId, events: [initialized(where)] })
        yield* one.append({ stream: first, events: [requested(where, first, 1_000), moved("started")] })
        yield* one.append({ stream: first, events: [moved("completed")] })
        // Another process takes the next request in and dies; this one carries on and knows the environment of before.
        yield* other.append({ stream: second, events: [requested(where, second, 1_500), moved("started")] })
        yield* one.append({ stream: second, events: [moved("completed")] })
        const environment = yield* other.environment(where.deploymentId, where.environment)
        assert.strictEqual(environment?.last, second)
        assert.isNull(environment?.current)
      })
    )
  )
})
