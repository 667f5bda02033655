import { Clock, Duration, Effect, Schema } from "effect"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import {
  type CorrelationId,
  DeploymentStore,
  type DeploymentId,
  type EnvironmentName,
  LeaseStore
} from "@signalbox/core/spi"
import * as EventLogEngine from "../../packages/core/src/engine/log/EventLogEngine.ts"
import * as Journal from "../../packages/core/src/engine/log/Journal.ts"

const Steps = Workflow.make("bench/Steps", {
  payload: { id: Schema.String, steps: Schema.Int },
  idempotencyKey: ({ id }) => id
})

const ttl = Duration.minutes(5)

/** Requests an execution of this many steps, unless it exists. */
const request = Effect.fnUntraced(function* (id: string) {
  const store = yield* DeploymentStore
  if ((yield* store.execution(id as CorrelationId)) !== undefined) return
  const at = yield* Clock.currentTimeMillis
  yield* store.append({
    stream: id,
    expected: 0,
    events: [
      {
        id: "requested",
        at,
        event: {
          _tag: "ExecutionRequested",
          correlationId: id as CorrelationId,
          kind: "deploy",
          deploymentId: "DBENCH0" as DeploymentId,
          environment: id.toLowerCase() as EnvironmentName,
          by: "bench",
          deploymentBefore: "initialized",
          stacksBefore: [],
          spec: { stacks: [], parallelism: 1, rollback: true, leaseTtl: ttl }
        }
      }
    ]
  })
})

/**
 * One execution of trivial steps on the product's own engine: claimed, journaled with an intent and a receipt each, to its
 * end. `step` is what each of them does.
 */
export const execution = (id: string, steps: number, step: (n: number) => Effect.Effect<void> = () => Effect.void) =>
  Effect.gen(function* () {
    yield* request(id)
    const leases = yield* LeaseStore
    const previous = yield* leases.get(`execution/${id}`)
    const lease = yield* leases.acquire({
      key: `execution/${id}`,
      holder: String(process.pid),
      owner: String(process.pid),
      ttl,
      ...(previous === undefined ? {} : { evict: previous.fence })
    })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const journal = yield* Journal.openJournal(id as CorrelationId, () => [lease])
        const engine = yield* EventLogEngine.make(journal)
        yield* engine.register(Steps, (payload) =>
          Effect.gen(function* () {
            for (let n = 0; n < payload.steps; n++) {
              yield* Activity.make({ name: `step-${n}`, success: Schema.Int, execute: Effect.as(step(n), n) })
            }
          })
        )
        yield* engine.execute(Steps, { executionId: id, payload: { id, steps } })
        yield* journal.commit
      })
    )
  })
