/**
 * Calls of providers within a step.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import { holdsPassword, namesSecret } from "../../domain/secrets/Secret.ts"
import { LeaseLost } from "../../spi/LeaseStore.ts"
import type { Observation } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import { ExecutionContext } from "./ExecutionContext.ts"
import { waitingForOthers } from "./Busy.ts"
import { persisting } from "./Persistence.ts"
import { renewing } from "./Renewal.ts"
import { callSpan } from "./Step.ts"
import { StepFailed } from "./StepFailed.ts"

const fenceAhead = ({ provider, stackName }: ProviderError, fence: number): Effect.Effect<never, StepFailed> =>
  Effect.fail(
    new StepFailed({
      why: "failed",
      info: errorInfo("store_replaced", { stack: stackName, provider, fence }, { remedies: [{ _tag: "orphans" }] })
    })
  )

/** A platform sums up; what failed first says why. */
const withFirstFailure = (info: ErrorInfo, { stacks }: ExecutionState): ErrorInfo => {
  const cause = stacks.find(({ name }) => name === info.params["stack"])?.firstFailure
  return cause === undefined ? info : { ...info, params: { ...info.params, cause } }
}

/**
 * Calls a provider: retryable errors are retried with backoff, expired credentials are waited for, a lost lease stops
 * the run, anything else becomes the step's failure. `operation` names it if the step does something else.
 */
export const call = <A, R>(
  effect: Effect.Effect<A, ProviderError, R>,
  operation?: string
): Effect.Effect<A, StepFailed, R | ExecutionContext> =>
  effect.pipe(
    callSpan(operation),
    persisting,
    renewing,
    waitingForOthers,
    Effect.catch((error) =>
      Effect.flatMap(ExecutionContext, ({ fenced, journal, lock }) => {
        const fence = error.reason._tag === "Fenced" ? error.reason.fence : undefined
        return fence !== undefined
          ? Effect.matchEffect(lock.check, {
              // This store says that the lease is held: so another store issued the newer fence.
              onSuccess: () => fenceAhead(error, fence),
              onFailure: () =>
                Effect.andThen(
                  Deferred.fail(fenced, new LeaseLost({ key: lock.lease().key, fence: lock.lease().fence })),
                  Effect.never
                )
            })
          : Effect.fail(
              new StepFailed({
                why: error.reason._tag === "Busy" ? "blocked" : "failed",
                info: withFirstFailure(error.info, journal.state())
              })
            )
      })
    )
  )

/**
 * Calls a provider for an observation, and keeps what may be stored: outputs that look like secrets are dropped, since
 * outputs are stored and shown.
 */
export const observing = <R>(
  effect: Effect.Effect<Observation, ProviderError, R>,
  operation?: string
): Effect.Effect<Observation, StepFailed, R | ExecutionContext> =>
  Effect.map(call(effect, operation), (observed) => ({
    ...observed,
    outputs: Object.fromEntries(
      Object.entries(observed.outputs).filter(
        ([name, value]) => !namesSecret(name) && !(typeof value === "string" && holdsPassword(value))
      )
    ),
    ...(observed.endpoints === undefined
      ? {}
      : {
          endpoints: Object.fromEntries(Object.entries(observed.endpoints).filter(([, url]) => !holdsPassword(url)))
        })
  }))
