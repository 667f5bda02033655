import { ProviderSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { capabilities, make } from "../../src/asg/AsgProvider.ts"
import { candidate, emptied, platform, refOf, running, sharesOf } from "../alb/platform.ts"
import { alarmIn, type Harness, platformOf, refusing } from "../alb/refusing.ts"
import { inTimeOf } from "../alb/time.ts"

const harness = Effect.gen(function* () {
  const it = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const made = await platform()
      await emptied(made)
      return made
    }),
    ({ simulator }) => Effect.promise(simulator.close)
  )
  const { service, simulator } = it
  const provider = Effect.sync(() =>
    inTimeOf(
      it,
      make({
        endpoint: simulator.endpoint,
        region: simulator.region,
        credentials: { accessKeyId: "deployer", secretAccessKey: "secret" },
        poll: { first: 1000, most: 10_000 }
      })
    )
  )
  const properties = {
    autoScalingGroup: service.blue.group,
    launchTemplate: { id: it.template, version: 1 },
    capacity: 2,
    minHealthyPercentage: 50,
    warmupSeconds: 10,
    startSeconds: 400
  }
  return {
    platform: it,
    provider: yield* provider,
    another: provider,
    ref: { ...refOf(it), properties },
    candidates: {
      v1: candidate("v1"),
      v2: candidate("v2"),
      slow: candidate("slow"),
      broken: candidate("broken")
    },
    probe: {
      traffic: Effect.promise(() => sharesOf(it)),
      capacity: Effect.sync(() => running(it)),
      instances: Effect.sync(() => simulator.instances().map(({ id }) => id))
    },
    live: Effect.promise(async () => {
      await simulator.edit("UpdateAutoScalingGroup", { AutoScalingGroupName: service.blue.group, DesiredCapacity: 2 })
      await simulator.advance(60_000)
    }),
    alarm: (state) => alarmIn(it, state)
  } satisfies Harness
})

ProviderSuite.suite("aws:asg", {
  capabilities,
  groups: ["restart", "canGoBack", "alarms"],
  timeoutMillis: 900_000,
  concurrent: true,
  make: harness,
  credentials: refusing("ExpiredToken", "The security token included in the request is expired", 403),
  throttling: refusing("Throttling", "Rate exceeded", 400),
  foreign: {
    begin: (harness) =>
      Effect.promise(async () => {
        const { service, simulator } = platformOf(harness)
        await simulator.edit("StartInstanceRefresh", {
          AutoScalingGroupName: service.blue.group,
          Preferences: { SkipMatching: true, BakeTime: 86_400 }
        })
      }),
    end: (harness) =>
      Effect.promise(async () => {
        const { service, simulator } = platformOf(harness)
        await simulator.edit("CancelInstanceRefresh", { AutoScalingGroupName: service.blue.group })
        await simulator.advance(5000)
      })
  },
  loseAnswer: (harness) =>
    Effect.sync(
      () =>
        void platformOf(harness).simulator.faults.calls({
          operation: /^(Create|Update|Start|Rollback|Delete)/,
          nth: 1,
          dropped: true
        })
    )
})
