/**
 * Records in the store what was done while it was unavailable.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as EventId from "../../domain/EventId.ts"
import { Actor, type Event } from "../../domain/Event.ts"
import { causeInfo } from "../../domain/errors/index.ts"
import { CorrelationId, DeploymentId, EnvironmentName, Timestamp } from "../../domain/Ids.ts"
import * as Machine from "../../domain/Machine.ts"
import { deploymentMachine } from "../../domain/Machines.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { ExecutionLog } from "../log/index.ts"
import { startingPoint } from "../admission/index.ts"

/**
 * A command that ran without the store, based on the providers' answers alone. `reason` says why the store was
 * unavailable; `finishedAt` is missing if the end was not observed.
 */
export const DegradedRecord = Schema.Struct({
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
export type DegradedRecord = typeof DegradedRecord.Type

/**
 * Records it, once: as an observed deployment without a lease, with its original times. The deployment is `unknown`
 * from then on, unless an execution of the store has looked since, is in progress, or has destroyed it.
 */
export const reconcile = Effect.fnUntraced(function* (
  done: DegradedRecord
): Effect.fn.Return<boolean, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const environment = yield* store.environment(done.deploymentId, done.environment)
  const good = done.code === 0
  const cause = causeInfo("ran_without_store", {}, done.reason)
  const loses =
    environment !== undefined &&
    environment.updatedAt <= done.startedAt &&
    environment.current === null &&
    Option.isSome(Machine.next(deploymentMachine, environment.status, "lost_sight"))
  const requested: Event = {
    _tag: "ExecutionRequested",
    correlationId: done.correlationId,
    kind: "observe",
    deploymentId: done.deploymentId,
    environment: done.environment,
    ...(done.version === undefined ? {} : { version: done.version }),
    by: done.by,
    cause,
    command: done.command,
    ...startingPoint(
      "observe",
      { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(15) },
      environment
    )
  }
  const ended = { code: done.code, signal: done.signal }
  const at = done.finishedAt ?? done.startedAt
  const append = (lost: ReadonlyArray<Event>) => {
    const events: ReadonlyArray<readonly [at: number, event: Event]> = [
      [done.startedAt, requested],
      [done.startedAt, { _tag: "ExecutionTransitioned", on: "started" }],
      [done.startedAt, { _tag: "ProcessStarted", command: done.command }],
      [at, { _tag: "ProcessExited", ...ended, cause }],
      ...lost.map((event) => [at, event] as const),
      [at, { _tag: "ExecutionTransitioned", on: good ? "completed" : "failed", cause }]
    ]
    const due = events.map(([at, event], index) => ({ id: EventId.degraded(index), at, event }))
    // Undefined if it was reconciled before.
    return ExecutionLog.write(done.correlationId, ({ seq }) => Effect.succeed(seq === 0 ? due : [])).pipe(
      Effect.map((written) => written.length > 0),
      Effect.catchTag("LeaseLost", Effect.die)
    )
  }
  return yield* append(loses ? [{ _tag: "DeploymentTransitioned", on: "lost_sight", cause }] : []).pipe(
    // An execution has begun since the check: it decides the status of the deployment.
    Effect.catchTag("IllegalTransition", () => append([])),
    Effect.catchTag("IllegalTransition", Effect.die)
  )
})
