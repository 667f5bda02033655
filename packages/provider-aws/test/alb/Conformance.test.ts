import { ProviderSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { capabilities } from "../../src/alb/AlbProvider.ts"
import { candidate, emptied, platform, providerOf, refOf, running, sharesOf } from "./platform.ts"
import { alarmIn, type Harness, platformOf, refusing } from "./refusing.ts"
import { clockOf } from "./time.ts"

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
  const provider = Effect.sync(() => providerOf(it))
  return {
    platform: it,
    provider: yield* provider,
    another: provider,
    ref: refOf(it),
    clock: clockOf(simulator, () => sharesOf(it, 1)),
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
    forget: (release) =>
      Effect.promise(async () => {
        const { LaunchTemplateVersions: versions } = (await simulator.edit("DescribeLaunchTemplateVersions", {
          LaunchTemplateId: it.template
        })) as { LaunchTemplateVersions: ReadonlyArray<{ VersionNumber: number; VersionDescription?: string }> }
        const Versions = versions
          .filter(({ VersionDescription = "" }) => VersionDescription.includes(release.id))
          .map(({ VersionNumber }) => String(VersionNumber))
        await simulator.edit("DeleteLaunchTemplateVersions", { LaunchTemplateId: it.template, Versions })
      }),
    live: Effect.promise(async () => {
      await simulator.edit("UpdateAutoScalingGroup", { AutoScalingGroupName: service.blue.group, DesiredCapacity: 2 })
      await simulator.advance(60_000)
    }),
    tamper: {
      fields: ["minimum", "traffic"],
      change: (field: string) =>
        Effect.promise(async () => {
          if (field === "traffic") {
            const TargetGroups = [
              { TargetGroupArn: service.blue.targetGroup, Weight: 7 },
              { TargetGroupArn: service.green.targetGroup, Weight: 5 }
            ]
            const DefaultActions = [{ Type: "forward", ForwardConfig: { TargetGroups } }]
            return void (await simulator.edit("ModifyListener", { ListenerArn: service.listener, DefaultActions }))
          }
          for (const { group } of [service.blue, service.green]) {
            await simulator.edit("UpdateAutoScalingGroup", { AutoScalingGroupName: group, MinSize: 0 })
          }
        })
    },
    alarm: (state) => alarmIn(it, state)
  } satisfies Harness
})

ProviderSuite.suite("aws:alb", {
  capabilities,
  groups: ["metrics", "drift", "restart", "canGoBack", "alarms"],
  timeoutMillis: 900_000,
  concurrent: true,
  make: harness,
  credentials: refusing("ExpiredToken", "The security token included in the request is expired", 403),
  throttling: refusing("Throttling", "Rate exceeded", 400),
  foreign: {
    begin: (harness) =>
      Effect.promise(async () => {
        const { service, simulator } = platformOf(harness)
        for (const { group } of [service.blue, service.green]) {
          if (simulator.instances(group).length === 0) continue
          await simulator.edit("StartInstanceRefresh", {
            AutoScalingGroupName: group,
            // Nothing is left to be replaced, so that only time goes by.
            Preferences: { SkipMatching: true, BakeTime: 86_400 }
          })
        }
      }),
    end: (harness) =>
      Effect.promise(async () => {
        const { service, simulator } = platformOf(harness)
        for (const { group } of [service.blue, service.green]) {
          if (simulator.instances(group).length === 0) continue
          await simulator.edit("CancelInstanceRefresh", { AutoScalingGroupName: group })
        }
        await simulator.advance(5000)
      })
  },
  staleReads: {
    begin: (harness) =>
      Effect.sync(() => {
        const { staleReads } = platformOf(harness).simulator.faults
        for (const read of ["DescribeListeners", "DescribeAutoScalingGroups", "DescribeTargetHealth"])
          staleReads(read, 3)
      }),
    end: () => Effect.void
  },
  loseAnswer: (harness) =>
    Effect.sync(
      () =>
        void platformOf(harness).simulator.faults.calls({
          operation: /^(Create|Update|Modify|Start|AddTags|RemoveTags)/,
          nth: 1,
          dropped: true
        })
    )
})
