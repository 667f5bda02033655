/**
 * The provider for Auto Scaling groups whose instances are replaced by a refresh.
 */
import {
  asProviderError,
  type Capabilities,
  defaultPoll,
  type Mutation,
  noMutation,
  type PollOptions,
  type Provider,
  type StackRef
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Aws, AwsOptions, Failure } from "../client/index.ts"
import { decode, AsgProperties } from "./AsgProperties.ts"
import type { AsgWork } from "./AsgWork.ts"

/** What a stack names as its provider. */
export const kind = "aws:asg"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "none",
  capacity: false,
  fencing: "guarded",
  outputs: ["version"],
  adopts: true
}

/** How the provider works. `poll` is the time between two polls, in milliseconds. */
export interface AsgOptions extends AwsOptions {
  readonly poll?: PollOptions
}

/**
 * Creates the provider of kind `aws:asg`.
 *
 * *Details*: a release is a version of a launch template. A refresh of Auto Scaling replaces the instances, waits at its
 * checkpoints, bakes, watches alarms and turns back by itself; the group launches the new version only once it has
 * succeeded.
 *
 * *Errors*: `ProviderError`; `Broken` if the refresh fails or is turned back.
 */
export const make = (options: AsgOptions): Provider => {
  const named = asProviderError(kind)
  let made: Aws | undefined
  const aws = Effect.promise(async () => (made ??= new (await import("../client/index.ts")).Aws(options)))

  const workOn = (ref: StackRef, mutation: Mutation) =>
    Effect.gen(function* () {
      const properties = yield* decode(ref.properties)
      const client = yield* aws
      const { Groups } = yield* Effect.promise(() => import("../groups/Groups.ts"))
      const { BalancerCalls } = yield* Effect.promise(() => import("../elb/BalancerCalls.ts"))
      const place = { region: ref.region, assumeRole: properties.assumeRole }
      const groups = new Groups(client, place)
      const calls = new BalancerCalls(client, place)
      return { ref, properties, mutation, place, groups, calls, poll: options.poll ?? defaultPoll }
    })

  const seeing = Effect.promise(() => import("./AsgWork.ts"))
  const mutations = Effect.promise(() => import("./Mutations.ts"))
  const observed = (work: AsgWork) =>
    Effect.flatMap(seeing, ({ observation, see }) => Effect.map(see(work), observation))

  const mutate = (
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    change: (work: AsgWork) => Effect.Effect<void, Failure>
  ) =>
    Effect.gen(function* () {
      const work = yield* workOn(ref, mutation)
      yield* change(work)
      return yield* observed(work)
    }).pipe(named(operation, ref))

  return {
    kind,
    capabilities,
    properties: AsgProperties,
    observe: (ref) => Effect.flatMap(workOn(ref, noMutation), observed).pipe(named("observe", ref)),
    plan: (ref, candidate) =>
      Effect.gen(function* () {
        const work = yield* workOn(ref, noMutation)
        const { targetOf } = yield* Effect.promise(() => import("../client/index.ts"))
        const { plan } = yield* Effect.promise(() => import("./Plan.ts"))
        return yield* plan(work, candidate, yield* targetOf(yield* aws, work.place))
      }).pipe(named("plan", ref)),
    stage: (ref, { plan }, mutation) =>
      mutate("stage", ref, mutation, (work) => Effect.flatMap(mutations, ({ stage }) => stage(work, plan))),
    rollback: (ref, checkpoint, mutation) =>
      mutate("rollback", ref, mutation, (work) =>
        Effect.flatMap(mutations, ({ rollback }) => rollback(work, checkpoint))
      ),
    destroy: (ref, mutation) =>
      Effect.asVoid(
        mutate("destroy", ref, mutation, (work) => Effect.flatMap(mutations, ({ destroy }) => destroy(work)))
      ),
    restart: (ref, mutation) =>
      mutate("restart", ref, mutation, (work) => Effect.flatMap(mutations, ({ restart }) => restart(work))),
    canGoBack: (ref, checkpoint) =>
      Effect.gen(function* () {
        const work = yield* workOn(ref, noMutation)
        const { wayBack } = yield* mutations
        return yield* wayBack(work, checkpoint)
      }).pipe(named("canGoBack", ref)),
    alarms: {
      states: (ref, names) =>
        Effect.gen(function* () {
          const { place } = yield* workOn(ref, noMutation)
          const { alarmStates } = yield* Effect.promise(() => import("../cloudwatch/Alarms.ts"))
          return yield* alarmStates(yield* aws, place, names)
        }).pipe(named("states", ref))
    },
    exclusive: ({ properties }) => {
      const { autoScalingGroup } = properties as { readonly autoScalingGroup?: string }
      return autoScalingGroup === undefined
        ? []
        : [{ name: `the Auto Scaling group ${autoScalingGroup}`, path: ["autoScalingGroup"] }]
    }
  }
}
