/**
 * The provider for services behind an Application Load Balancer.
 */
import {
  asProviderError,
  type Capabilities,
  type Mutation,
  noMutation,
  type Provider,
  type StackRef
} from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import type { AlbAccess, AlbOptions } from "./AlbAccess.ts"
import { AlbProperties } from "./AlbProperties.ts"
import type { AlbWork } from "./AlbWork.ts"

/** What a stack names as its provider. */
export const kind = "aws:alb"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "percent",
  capacity: true,
  fencing: "guarded",
  outputs: ["targetGroup", "version"],
  adopts: true
}

/**
 * Creates the provider of kind `aws:alb`.
 *
 * *Details*: a release is a version of a launch template, which follows from the artifact and from the version that it is
 * made from. A listener or rule forwards to two target groups; a release is brought in on the one without traffic. What
 * was set is recorded in two tags of the listener or rule, so that a change of others is told from one that was cut off.
 *
 * *Errors*: `ProviderError`; `Broken` if its instances do not become healthy, `Changed` if others changed the weights.
 */
export const make = (options: AlbOptions): Provider => {
  const named = asProviderError(kind)
  let made: AlbAccess | undefined
  const access = Effect.promise(async () => (made ??= new (await import("./AlbAccess.ts")).AlbAccess(options)))
  const workOn = (ref: StackRef, mutation: Mutation) => Effect.flatMap(access, (cloud) => cloud.workOn(ref, mutation))

  const seeing = Effect.promise(() => import("./SeenService.ts"))
  const observed = (work: AlbWork) =>
    Effect.flatMap(seeing, ({ observation, see }) =>
      Effect.map(see(work, work.properties), (seen) => observation(seen, work.properties))
    )

  /** Carries out a mutation, and looks at what has become of it. */
  const mutate = (
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    change: (work: AlbWork) => Effect.Effect<void, Failure>
  ) =>
    Effect.gen(function* () {
      const work = yield* workOn(ref, mutation)
      yield* change(work)
      return yield* observed(work)
    }).pipe(named(operation, ref))

  const shifting = Effect.promise(() => import("./Shift.ts"))
  const restoring = Effect.promise(() => import("./Restore.ts"))
  const drifting = Effect.promise(() => import("./Drift.ts"))

  return {
    kind,
    capabilities,
    properties: AlbProperties,
    observe: (ref) => Effect.flatMap(workOn(ref, noMutation), observed).pipe(named("observe", ref)),
    plan: (ref, candidate) =>
      Effect.gen(function* () {
        const cloud = yield* access
        const work = yield* cloud.workOn(ref, noMutation)
        const { plan } = yield* Effect.promise(() => import("./Plan.ts"))
        const { targetOf } = yield* Effect.promise(() => import("../client/index.ts"))
        return yield* plan(work, candidate, yield* targetOf(cloud.aws, work.place))
      }).pipe(named("plan", ref)),
    stage: (ref, { capacityPercent, plan }, mutation) =>
      mutate("stage", ref, mutation, (work) =>
        Effect.flatMap(
          Effect.promise(() => import("./Stage.ts")),
          ({ stage }) => stage(work, plan, capacityPercent)
        )
      ),
    traffic: {
      shift: (ref, options, mutation) =>
        mutate("shift", ref, mutation, (work) => Effect.flatMap(shifting, ({ shift }) => shift(work, options))),
      retire: (ref, options, mutation) =>
        mutate("retire", ref, mutation, (work) => Effect.flatMap(shifting, ({ retire }) => retire(work, options)))
    },
    rollback: (ref, checkpoint, mutation) =>
      mutate("rollback", ref, mutation, (work) =>
        Effect.flatMap(restoring, ({ rollback }) => rollback(work, checkpoint))
      ),
    destroy: (ref, mutation) =>
      Effect.asVoid(
        mutate("destroy", ref, mutation, (work) => Effect.flatMap(restoring, ({ destroy }) => destroy(work)))
      ),
    restart: (ref, mutation) =>
      mutate("restart", ref, mutation, (work) => Effect.flatMap(restoring, ({ restart }) => restart(work))),
    drift: {
      detect: (ref) =>
        Effect.gen(function* () {
          const work = yield* workOn(ref, noMutation)
          const { see } = yield* seeing
          const { detect } = yield* drifting
          return detect(yield* see(work, work.properties), work.properties)
        }).pipe(named("detect", ref)),
      correct: (ref, fields, mutation) =>
        mutate("correct", ref, mutation, (work) => Effect.flatMap(drifting, ({ correct }) => correct(work, fields)))
    },
    alarms: {
      states: (ref, names) =>
        Effect.gen(function* () {
          const cloud = yield* access
          const { place } = yield* cloud.workOn(ref, noMutation)
          const { alarmStates } = yield* Effect.promise(() => import("../cloudwatch/Alarms.ts"))
          return yield* alarmStates(cloud.aws, place, names)
        }).pipe(named("states", ref))
    },
    ...(options.metrics === false
      ? {}
      : {
          metrics: {
            resolution: Duration.seconds(60),
            lag: Duration.seconds(120),
            samples: false,
            measure: (ref, window) =>
              Effect.gen(function* () {
                const cloud = yield* access
                return yield* cloud.measure(yield* cloud.workOn(ref, noMutation), window)
              }).pipe(named("measure", ref))
          }
        }),
    canGoBack: (ref, checkpoint) =>
      Effect.gen(function* () {
        const work = yield* workOn(ref, noMutation)
        const { wayBack } = yield* restoring
        return yield* wayBack(work, checkpoint)
      }).pipe(named("canGoBack", ref)),
    exclusive: ({ properties }) => {
      const { blue, green, listener, rule } = properties as Partial<AlbProperties>
      return [
        ...(rule === undefined ? [] : [{ name: `the rule ${rule}`, path: ["rule"] }]),
        ...(listener === undefined || rule !== undefined
          ? []
          : [{ name: `the listener ${listener}`, path: ["listener"] }]),
        ...[blue, green].flatMap((side, index) =>
          side === undefined
            ? []
            : [
                {
                  name: `the Auto Scaling group ${side.autoScalingGroup}`,
                  path: [index === 0 ? "blue" : "green", "autoScalingGroup"]
                }
              ]
        )
      ]
    }
  }
}
