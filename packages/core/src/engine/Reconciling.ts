/**
 * Putting into the registry what was done while it was away.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Actor, type Event } from "../domain/Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, Timestamp } from "../domain/Ids.ts"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { startingPoint } from "./StartingPoint.ts"

/**
 * A command that ran without the registry, on the word of the providers alone. `reason` says why the registry was away;
 * `finishedAt` is not there where nobody saw the end.
 *
 * @since 0.1.0
 */
export const Degraded = Schema.Struct({
  correlationId: CorrelationId,
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  command: Schema.String,
  by: Actor,
  version: Schema.optionalKey(Schema.String),
  reason: Schema.String,
  startedAt: Timestamp,
  finishedAt: Schema.optionalKey(Timestamp),
  code: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String)
})
/** @since 0.1.0 */
export type Degraded = typeof Degraded.Type

/**
 * Records it, once: as a deployment that was watched and not held a lock for, with the times that it had. The deployment is
 * `unknown` from then on, unless an execution of the registry's own has looked since.
 *
 * @since 0.1.0
 */
export const reconcile = Effect.fnUntraced(function* (
  done: Degraded
): Effect.fn.Return<boolean, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const environment = yield* store.environment(done.deploymentId, done.environment)
  const good = done.code === 0
  const reason = `ran without the registry: ${done.reason}`
  const sinceSeen = environment !== undefined && environment.updatedAt > done.startedAt
  const requested: Event = {
    _tag: "ExecutionRequested",
    correlationId: done.correlationId,
    kind: "observe",
    deploymentId: done.deploymentId,
    environment: done.environment,
    ...(done.version === undefined ? {} : { version: done.version }),
    by: done.by,
    reason,
    command: done.command,
    ...startingPoint(
      "observe",
      { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(15) },
      environment
    )
  }
  const ended = { code: done.code, signal: done.signal }
  const events: ReadonlyArray<readonly [at: number, event: Event]> = [
    [done.startedAt, requested],
    [done.startedAt, { _tag: "ExecutionMoved", on: "started" }],
    [done.startedAt, { _tag: "ProcessStarted", command: done.command }],
    [done.finishedAt ?? done.startedAt, { _tag: "ProcessExited", ...ended, reason }],
    ...(sinceSeen || environment === undefined || environment.status === "unknown"
      ? []
      : [[done.finishedAt ?? done.startedAt, { _tag: "DeploymentMoved", on: "lost_sight", reason }] as const]),
    [done.finishedAt ?? done.startedAt, { _tag: "ExecutionMoved", on: good ? "completed" : "failed", reason }]
  ]
  return yield* store
    .append({
      stream: done.correlationId,
      expected: 0,
      events: events.map(([at, event], index) => ({ id: `degraded/${index}`, at, event }))
    })
    .pipe(
      Effect.as(true),
      Effect.catchTags({
        // Reconciled before.
        SequenceConflict: () => Effect.succeed(false),
        IllegalTransition: Effect.die,
        LeaseLost: Effect.die
      })
    )
})
