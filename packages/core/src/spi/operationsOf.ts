/**
 * The operations of a provider, from the modules that carry them out. A module loads with the first operation that needs
 * it, so that a configuration that names the plug-in costs commands nothing that only read the store.
 */
import * as Effect from "effect/Effect"
import type { Percent } from "../domain/Ids.ts"
import type { Checkpoint, PlanTarget, StackPlan } from "../domain/Release.ts"
import {
  type Candidate,
  type Drift,
  type Mutation,
  noMutation,
  type Observation,
  type Provider,
  type WayBack
} from "./Provider.ts"
import { asProviderError, type ProviderError, type ProviderReason } from "./ProviderError.ts"
import type { StackRef } from "./StackRef.ts"

type Reading<A> = Effect.Effect<A, ProviderReason>
/** The provider adds the name of the stack to a reason. */
type Step<A = void> = Effect.Effect<A, ProviderReason | ProviderError>

/** How a provider reaches the platform. `artifact` is the one of a candidate. */
interface Access<Work> {
  readonly workOn: (ref: StackRef, mutation: Mutation, artifact?: string) => Reading<Work>
  readonly observe: (work: Work) => Reading<Observation>
  readonly target: (work: Work) => Reading<PlanTarget>
}

interface Planning<Work> {
  readonly plan: (work: Work, candidate: Candidate, target: PlanTarget) => Step<StackPlan>
}

interface Staging<Work> {
  readonly stage: (work: Work, plan: StackPlan, capacityPercent: Percent) => Step
}

interface Shifting<Work> {
  readonly shift: (work: Work, options: { readonly releaseId: string; readonly percent: Percent }) => Step
  readonly retire: (work: Work, options: { readonly keep: string; readonly capacityPercent: Percent }) => Step
}

interface Restoring<Work> {
  readonly rollback: (work: Work, checkpoint: Checkpoint) => Step
  readonly destroy: (work: Work) => Step
  readonly wayBack: (work: Work, checkpoint: Checkpoint) => Reading<WayBack>
}

interface Drifting<Work> {
  readonly detect: (work: Work) => Reading<ReadonlyArray<Drift>>
  readonly correct: (work: Work, fields: ReadonlyArray<string>) => Step
}

/** The modules of a provider, each as a function that loads it. */
interface Modules<Work, Cloud extends Access<Work>> {
  readonly access: () => Promise<Cloud>
  readonly planning: () => Promise<Planning<Work>>
  readonly staging: () => Promise<Staging<Work>>
  readonly restoring: () => Promise<Restoring<Work>>
}

/** What an operation that looks brings with it. */
interface Look {
  readonly mutation?: Mutation | undefined
  readonly artifact?: string | undefined
}

/**
 * The operations of the provider of a kind: `common`, which all providers have, and what makes the optional ones.
 *
 * *Details*: `access` makes what reaches the platform, once; `workOn` decodes the properties of a stack. `look` reads,
 * `change` carries out a mutation and then looks at what has become of it. Both name the operation and the stack in failures.
 */
export const operationsOf = <Work, Cloud extends Access<Work>>(kind: string, modules: Modules<Work, Cloud>) => {
  const named = asProviderError(kind)
  let made: Promise<Cloud> | undefined
  const access = Effect.promise(() => (made ??= modules.access()))

  const look = <A>(
    operation: string,
    ref: StackRef,
    use: (work: Work, cloud: Cloud) => Step<A>,
    { artifact, mutation = noMutation }: Look = {}
  ): Effect.Effect<A, ProviderError> =>
    Effect.gen(function* () {
      const cloud = yield* access
      return yield* use(yield* cloud.workOn(ref, mutation, artifact), cloud)
    }).pipe(named(operation, ref))

  /** Carries out a mutation, and looks at what has become of it. */
  const change = <M>(
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    load: () => Promise<M>,
    use: (module: M, work: Work) => Step
  ): Effect.Effect<Observation, ProviderError> =>
    look(
      operation,
      ref,
      (work, cloud) =>
        Effect.gen(function* () {
          yield* use(yield* Effect.promise(load), work)
          return yield* cloud.observe(work)
        }),
      { mutation }
    )

  const { planning, restoring, staging } = modules

  const common: Pick<Provider, "canGoBack" | "destroy" | "observe" | "plan" | "rollback" | "stage"> = {
    observe: (ref) => look("observe", ref, (work, cloud) => cloud.observe(work)),
    plan: (ref, candidate, mutation) =>
      look(
        "plan",
        ref,
        (work, cloud) =>
          Effect.gen(function* () {
            const { plan } = yield* Effect.promise(planning)
            return yield* plan(work, candidate, yield* cloud.target(work))
          }),
        { mutation, artifact: candidate.artifact }
      ),
    stage: (ref, { capacityPercent, plan }, mutation) =>
      change("stage", ref, mutation, staging, ({ stage }, work) => stage(work, plan, capacityPercent)),
    rollback: (ref, checkpoint, mutation) =>
      change("rollback", ref, mutation, restoring, ({ rollback }, work) => rollback(work, checkpoint)),
    destroy: (ref, mutation) =>
      Effect.asVoid(change("destroy", ref, mutation, restoring, ({ destroy }, work) => destroy(work))),
    canGoBack: (ref, checkpoint) =>
      look("canGoBack", ref, (work) =>
        Effect.flatMap(Effect.promise(restoring), ({ wayBack }) => wayBack(work, checkpoint))
      )
  }

  const trafficBy = (shifting: () => Promise<Shifting<Work>>): NonNullable<Provider["traffic"]> => ({
    shift: (ref, options, mutation) =>
      change("shift", ref, mutation, shifting, ({ shift }, work) => shift(work, options)),
    retire: (ref, options, mutation) =>
      change("retire", ref, mutation, shifting, ({ retire }, work) => retire(work, options))
  })

  const driftBy = (drifting: () => Promise<Drifting<Work>>): NonNullable<Provider["drift"]> => ({
    detect: (ref) =>
      look("detect", ref, (work) => Effect.flatMap(Effect.promise(drifting), ({ detect }) => detect(work))),
    correct: (ref, fields, mutation) =>
      change("correct", ref, mutation, drifting, ({ correct }, work) => correct(work, fields))
  })

  return { look, change, common, trafficBy, driftBy }
}
