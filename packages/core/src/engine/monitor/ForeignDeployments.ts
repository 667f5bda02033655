/**
 * Deployments that Signalbox did not start: detected as a provider's operation in progress, recorded as executions of
 * kind `observe`, and followed to their end.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import type { StackBefore } from "../../domain/Event.ts"
import {
  CorrelationId,
  type DeploymentId,
  type EnvironmentName,
  type StackName,
  type Timestamp
} from "../../domain/Ids.ts"
import { causeInfo, causeOf, type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import type { Outputs } from "../../domain/Release.ts"
import type { ExecutionSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { foreignOperation, type Observation } from "../../spi/Provider.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { type DueEvent, ExecutionLog } from "../log/index.ts"
import { traceIdOf } from "../../telemetry/index.ts"
import { progressSourcesOf } from "./ProviderProgress.ts"

/** Where to look, and for which stacks. */
export interface ForeignPlace {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly spec: ExecutionSpec
  readonly by: string
}

type Operation = NonNullable<Observation["operation"]>

/**
 * The id under which a foreign operation is recorded: stable for the same operation, so that two monitors record it
 * once.
 */
export const observedId = (
  { deploymentId, environment }: Pick<ForeignPlace, "deploymentId" | "environment">,
  stack: string,
  operation: string
): CorrelationId =>
  CorrelationId.make(`observed-${stack}-${traceIdOf(`${deploymentId}/${environment}/${stack}/${operation}`)}`)

/**
 * Asks the providers for operations that Signalbox did not start, and records each as an execution. Returns their ids;
 * a stack that cannot be asked has none.
 */
export const foreign = Effect.fnUntraced(function* (
  place: ForeignPlace
): Effect.fn.Return<ReadonlyArray<CorrelationId>, StoreError, DeploymentStore | Providers> {
  const store = yield* DeploymentStore
  const environment = yield* store.environment(place.deploymentId, place.environment)
  const outputs = new Map<string, Outputs>(environment?.stacks.map((stack) => [stack.name, stack.outputs]))
  const all = yield* progressSourcesOf(place, outputs)
  const found = yield* Effect.forEach(
    all,
    ({ provider, ref }) =>
      Effect.match(provider.observe(ref), {
        onFailure: () => [],
        onSuccess: (observed) => {
          const operation = foreignOperation(observed)
          return operation === undefined ? [] : [{ operation, stack: ref.stack }]
        }
      }),
    { concurrency: place.spec.parallelism }
  )
  return yield* Effect.forEach(found.flat(), ({ operation, stack }) => record(place, stack, operation))
})

const record = Effect.fnUntraced(function* (
  { by, deploymentId, environment, spec }: ForeignPlace,
  stack: StackName,
  operation: Operation
): Effect.fn.Return<CorrelationId, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const id = observedId({ deploymentId, environment }, stack, operation.id)
  if ((yield* store.execution(id)) !== undefined) return id
  const before = yield* store.environment(deploymentId, environment)
  const at = yield* Clock.currentTimeMillis
  const stacksBefore = (before?.stacks ?? []).map(({ checkpoint, name, outputs, release, status }): StackBefore => ({
    checkpoint,
    name,
    outputs,
    release,
    status
  }))
  const events: ReadonlyArray<DueEvent> = [
    {
      id: EventId.requested,
      at,
      event: {
        _tag: "ExecutionRequested",
        correlationId: id,
        kind: "observe",
        deploymentId,
        environment,
        by,
        cause: causeInfo("started_elsewhere", {}, operation.description),
        deploymentBefore: before?.status ?? "initialized",
        stacksBefore,
        spec: { ...spec, stacks: spec.stacks.filter(({ name }) => name === stack) }
      }
    },
    { id: EventId.execution("started"), at, event: { _tag: "ExecutionTransitioned", on: "started" } },
    {
      id: EventId.stage("deployment", "started"),
      at,
      event: { _tag: "StageTransitioned", stage: "deployment", on: "started" }
    },
    {
      id: EventId.stage("deployment", "started", stack),
      at,
      event: { _tag: "StageTransitioned", stage: "deployment", on: "started", stack }
    }
  ]
  // Another monitor may have seen it first, and recorded the same.
  yield* ExecutionLog.write(id, ({ seq }) => Effect.succeed(seq === 0 ? events : [])).pipe(
    Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die)
  )
  return id
})

const outcomeOf = (observed: Observation): ErrorInfo | undefined => {
  if (observed.status === "failed") {
    return errorInfo("foreign_failed", {})
  }
  // Its end was not observed, so it is not a success.
  return observed.status === "ready" || observed.status === "absent" ? undefined : errorInfo("outcome_unknown", {})
}

/**
 * The events that end an observed execution, if its operation is over; none while it is in progress or unknown.
 */
export const endOfObserved = (
  place: Pick<ForeignPlace, "deploymentId" | "environment"> & { readonly correlationId: CorrelationId },
  stack: StackName,
  observed: Observation,
  at: Timestamp
): ReadonlyArray<DueEvent> => {
  const { operation, status } = observed
  if (status === "unknown" || (operation === null && status === "changing")) return []
  if (operation !== null && observedId(place, stack, operation.id) === place.correlationId) return []
  const error = outcomeOf(observed)
  const cause = error === undefined ? {} : { cause: causeOf(error) }
  const on = error === undefined ? "succeeded" : "failed"
  return [
    {
      id: EventId.observed("stack"),
      at,
      event: { _tag: "StageTransitioned", stage: "deployment", on, stack, ...cause }
    },
    { id: EventId.observed("stage"), at, event: { _tag: "StageTransitioned", stage: "deployment", on, ...cause } },
    {
      id: EventId.observed("end"),
      at,
      event: {
        _tag: "ExecutionTransitioned",
        on: error === undefined ? "completed" : "failed",
        ...(error === undefined ? {} : { error })
      }
    }
  ]
}
