/**
 * Asks the providers whether they still have what the record says that a deployment can go back to.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { resolve } from "../../config/Configuration.ts"
import type { ExecutionState } from "../../domain/ExecutionState.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import type { Checkpoint } from "../../domain/Release.ts"
import type { Restoration } from "../../domain/Restoration.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { WayBack } from "../../spi/Provider.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { eachStack, RecordedManifest, type StackAsked } from "../admission/index.ts"
import { Restorable, wayBack } from "../restoration/index.ts"

/** A list is not worth waiting for: a provider that has not answered by then leaves it to the record. */
const patience = "2 seconds"
/** How many releases are asked for, the latest first. */
const most = 20

/**
 * The executions among these that one can go back to, by the record; with `ask`, without those whose release a provider
 * knows to be gone.
 */
export const restorable = Effect.fnUntraced(function* (
  executions: ReadonlyArray<ExecutionState>,
  { ask = false }: { readonly ask?: boolean } = {}
): Effect.fn.Return<ReadonlySet<CorrelationId>, StoreError, DeploymentStore | Providers> {
  const found = yield* Restorable.among(executions)
  const gone = ask ? yield* goneAmong(found) : new Set<string>()
  return new Set(
    found
      .filter((one) => keysOf(one).every(([key]) => !gone.has(key)))
      .map(({ execution: { correlationId } }) => correlationId)
  )
})

/** The releases of a restoration, each named by its place, stack and ID. */
const keysOf = ({ execution: { deploymentId, environment }, stacks }: Restoration) =>
  stacks.flatMap(({ checkpoint, name, release }) =>
    checkpoint === undefined
      ? []
      : [[`${deploymentId}/${environment}/${name}/${release.id}`, { checkpoint, stack: name }] as const]
  )

const goneAmong = Effect.fnUntraced(function* (
  restorations: ReadonlyArray<Restoration>
): Effect.fn.Return<ReadonlySet<string>, StoreError, DeploymentStore | Providers> {
  const places = Map.groupBy(
    restorations,
    ({ execution: { deploymentId, environment } }) => `${deploymentId}/${environment}`
  )
  const questions = yield* Effect.forEach(places.values(), (all) =>
    Effect.map(stacksAt(all[0]!.execution), (stacks) =>
      [...new Map(all.flatMap(keysOf))].flatMap(([key, { checkpoint, stack }]) => {
        const asked = stacks.find((one) => one.stack.name === stack)
        return asked === undefined ? [] : [{ key, asked, checkpoint }]
      })
    )
  )
  const answers = yield* Effect.forEach(
    questions.flat().slice(0, most),
    ({ asked, checkpoint, key }) => Effect.map(answerOf(asked, checkpoint), (way) => ({ key, how: way?.how })),
    { concurrency: "unbounded" }
  )
  return new Set(answers.flatMap(({ how, key }) => (how === "impossible" ? [key] : [])))
})

/** The stacks of a place as they were deployed; none if the record cannot be resolved. */
const stacksAt = Effect.fnUntraced(function* ({
  deploymentId,
  environment
}: ExecutionState): Effect.fn.Return<ReadonlyArray<StackAsked>, StoreError, DeploymentStore | Providers> {
  const store = yield* DeploymentStore
  const deployment = yield* store.deployment(deploymentId)
  const state = yield* store.environment(deploymentId, environment)
  if (deployment === undefined) return []
  const manifest = RecordedManifest.manifest(deployment, environment, state)
  const spec = yield* Effect.option(resolve(manifest, environment))
  return Option.isNone(spec) ? [] : yield* eachStack({ deploymentId, environment }, spec.value, state, Effect.succeed)
})

/** The answer, if there is one in time. A call that ignores its interruption is not waited for. */
const answerOf = Effect.fnUntraced(function* (
  { provider, ref }: StackAsked,
  checkpoint: Checkpoint
): Effect.fn.Return<WayBack | undefined> {
  if (provider === undefined) return undefined
  const fiber = yield* Effect.forkDetach(wayBack(provider, ref, checkpoint))
  const answer = yield* Effect.timeoutOption(Fiber.join(fiber), patience)
  if (Option.isNone(answer)) yield* Effect.forkDetach(Fiber.interrupt(fiber))
  return Option.getOrUndefined(answer)
})
