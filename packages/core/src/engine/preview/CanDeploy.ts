/**
 * Whether something may be deployed now, and why not.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import { causeInfo, errorInfo } from "../../domain/errors/index.ts"
import * as Freeze from "../../domain/freeze/Freeze.ts"
import type { CorrelationId, StackName } from "../../domain/Ids.ts"
import type { ExecutionSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import { type Drift, foreignOperation, type Observation } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import type { Providers } from "../../spi/Providers.ts"
import { StoreError } from "../../spi/StoreError.ts"
import { type AdmissionRequest, freezes, policyBlockers, eachStack, RecordedManifest } from "../admission/index.ts"
import { holderAndQueueBlockers } from "./CurrentHolder.ts"
import { resolve } from "../../config/Configuration.ts"
import type { Blocker, CanDeployAnswer } from "../../api/CanDeployAnswer.ts"
import type { CanDeployRequest } from "../../api/Request.ts"
import type { Rejected } from "../../api/Rejected.ts"

const unregistered = "can-deploy" as CorrelationId

const askedOf = (question: CanDeployRequest, spec: ExecutionSpec): AdmissionRequest => ({
  correlationId: question.correlationId ?? unregistered,
  kind: question.kind ?? "deploy",
  deploymentId: question.deploymentId,
  environment: question.environment,
  spec,
  ...(question.version === undefined ? {} : { version: question.version }),
  ...(question.origin === undefined ? {} : { origin: question.origin }),
  ...(question.override === undefined ? {} : { override: question.override })
})

const specOf = (question: CanDeployRequest): Effect.Effect<ExecutionSpec, Rejected> =>
  resolve(question.manifest, question.environment, question.stacks === undefined ? {} : { stacks: question.stacks })

/** Operations that undo use the record, whatever the configuration says now. */
const onRecord = Effect.fnUntraced(function* (
  question: CanDeployRequest,
  environment: EnvironmentState | undefined
): Effect.fn.Return<CanDeployRequest, StoreError, DeploymentStore> {
  if (!RecordedManifest.takesBack(question.kind ?? "deploy")) return question
  const deployment = yield* Effect.flatMap(DeploymentStore, (store) => store.deployment(question.deploymentId))
  if (deployment === undefined) return question
  return {
    ...question,
    manifest: RecordedManifest.manifest(deployment, question.environment, environment, question.manifest)
  }
})

/**
 * Asks the store and the providers for every blocker. If the store is unavailable, this is reported, and only the
 * providers answer.
 *
 * *Errors*: `Rejected` for an unknown stack or environment; `StoreError` if it is not retryable, or if no provider can
 * be asked either.
 */
export const canDeploy = Effect.fnUntraced(function* (
  question: CanDeployRequest
): Effect.fn.Return<CanDeployAnswer, Rejected | StoreError, DeploymentStore | LeaseStore | Providers> {
  const stored = Effect.gen(function* () {
    const store = yield* DeploymentStore
    const environment = yield* store.environment(question.deploymentId, question.environment)
    const spec = yield* specOf(yield* onRecord(question, environment))
    const asked = askedOf(question, spec)
    const registered = [...(yield* holderAndQueueBlockers(asked)), ...(yield* policyBlockers(asked))]
    return { environment, registered, spec }
  })
  const known = yield* Effect.result(stored)
  if (known._tag === "Failure") {
    const { failure } = known
    return failure._tag === "StoreError" && failure.isRetryable
      ? yield* canDeployWithoutStore(question, failure)
      : yield* Effect.fail(failure)
  }
  const { environment, registered, spec } = known.success
  // The lease holder's operation at its provider is reported once.
  const held = registered.some(({ kind }) => kind === "lease")
  const outside = held ? [] : (yield* fromProviders(question, spec, environment)).flatMap(({ blockers }) => blockers)
  return {
    ...(yield* verdict(question, spec, [...registered, ...outside])),
    degraded: null,
    queue: environment?.queue?.length ?? 0
  }
})

/**
 * The providers' answers alone, if the store is unavailable: operations in progress, and the freezes of the
 * configuration.
 *
 * *Errors*: the store's `StoreError`, if no provider can be asked either.
 */
export const canDeployWithoutStore = Effect.fnUntraced(function* (
  question: CanDeployRequest,
  away: StoreError
): Effect.fn.Return<CanDeployAnswer, Rejected | StoreError, Providers> {
  const spec = yield* specOf(question)
  const looks = yield* fromProviders(question, spec, undefined)
  if (!looks.some(({ answered }) => answered)) {
    return yield* new StoreError({
      operation: away.operation,
      reason: away.reason,
      detail: `${away.detail}, and no provider can be asked instead`
    })
  }
  const frozen = question.override === undefined ? yield* freezes(askedOf(question, spec)) : []
  const blockers = [...frozen, ...looks.flatMap((look) => look.blockers)]
  return { ...(yield* verdict(question, spec, blockers)), degraded: away.message, queue: 0 }
})

const soon = Duration.hours(24)

const verdict = (question: CanDeployRequest, spec: ExecutionSpec, blockers: ReadonlyArray<Blocker>) =>
  Effect.map(Clock.currentTimeMillis, (checkedAt) => ({
    canDeploy: blockers.length === 0,
    blockers,
    nextFreeze: Freeze.next(spec.freezes ?? [], question.environment, checkedAt, soon) ?? null,
    checkedAt
  }))

/** The observation of one stack; unanswered if it has no provider to ask, or that is unavailable. */
interface Look {
  readonly answered: boolean
  readonly blockers: ReadonlyArray<Blocker>
}

const fromProviders = (
  question: CanDeployRequest,
  spec: ExecutionSpec,
  environment: Parameters<typeof eachStack>[2]
): Effect.Effect<ReadonlyArray<Look>, never, Providers> =>
  eachStack(question, spec, environment, ({ provider, ref, stack }) =>
    Effect.gen(function* (): Effect.fn.Return<Look> {
      if (provider === undefined) return { answered: false, blockers: [] }
      const observed = yield* Effect.result(provider.observe(ref))
      if (observed._tag === "Failure") {
        return { answered: false, blockers: [unreachable(stack.name, observed.failure)] }
      }
      const busy = inFlight(stack.name, observed.success)
      const { drift } = provider
      if (drift === undefined || question.override !== undefined || observed.success.status !== "ready") {
        return { answered: true, blockers: busy }
      }
      const found = yield* Effect.result(drift.detect(ref))
      const differs = found._tag === "Success" ? drifted(stack.name, observed.success, found.success) : []
      return { answered: true, blockers: [...busy, ...differs] }
    })
  )

const unreachable = (stack: StackName, error: ProviderError): Blocker => ({
  kind: "provider",
  info: errorInfo(
    "blocked_by_provider",
    { stack, answered: false },
    { detail: error.message, ...(error.info.remedies === undefined ? {} : { remedies: error.info.remedies }) }
  ),
  who: error.provider,
  since: null,
  clearsAt: null,
  consoleUrl: null
})

/** The lease shows Signalbox's own operations. */
const inFlight = (stack: StackName, observed: Observation): ReadonlyArray<Blocker> => {
  const operation = foreignOperation(observed)
  return operation === undefined
    ? []
    : [
        {
          kind: "provider",
          info: errorInfo("blocked_by_provider", { stack, answered: true }, { detail: operation.description }),
          who: operation.id,
          since: operation.startedAt,
          clearsAt: null,
          consoleUrl: observed.consoleUrl ?? null
        }
      ]
}

const drifted = (stack: StackName, { consoleUrl }: Observation, found: ReadonlyArray<Drift>): ReadonlyArray<Blocker> =>
  found.length === 0
    ? []
    : [
        {
          kind: "drift",
          info: errorInfo(
            "blocked_by_drift",
            {
              stack,
              differences: found.map(({ actual, expected, field }) =>
                causeInfo("field_differs", { field, actual: String(actual), expected: String(expected) })
              )
            },
            { remedies: [{ _tag: "override" }] }
          ),
          who: null,
          since: null,
          clearsAt: null,
          consoleUrl: consoleUrl ?? null
        }
      ]
