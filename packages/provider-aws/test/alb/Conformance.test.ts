import { ProviderSuite } from "@signalbox/core/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { capabilities } from "../../src/alb/AlbProvider.ts"
import { AwsError } from "../../src/testing/index.ts"
import {
  candidate,
  emptied,
  type Platform,
  platform,
  providerOf,
  refOf,
  running,
  sharesOf,
  turning
} from "./platform.ts"

type ProviderHarness = ProviderSuite.ProviderHarness

interface Harness extends ProviderHarness {
  readonly platform: Platform
}

const platformOf = (harness: ProviderHarness): Platform => (harness as Harness).platform

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
    // How requests are counted is tested with a clock that is turned forward.
    ref: refOf(it, { verifyTraffic: "api" }),
    clock: turning(it, yield* Clock.Clock),
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
      while ((await sharesOf(it, 2))["v1"] !== 100) await simulator.advance(1000)
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
    alarm: (state) =>
      Effect.promise(async () => {
        const AlarmName = `api-${state}`
        await simulator.edit("PutMetricAlarm", {
          AlarmName,
          Namespace: "Shop",
          MetricName: "Orders",
          Statistic: "Sum",
          Period: 60,
          EvaluationPeriods: 1,
          Threshold: 1,
          ComparisonOperator: "LessThanThreshold",
          TreatMissingData: "ignore"
        })
        const StateValue = { ok: "OK", alarm: "ALARM", insufficient_data: "INSUFFICIENT_DATA" }[state]
        await simulator.edit("SetAlarmState", { AlarmName, StateValue, StateReason: "the test says so" })
        return AlarmName
      })
  } satisfies Harness
})

/** Refuses every call until it is over. */
const refusing = (code: string, message: string, status: number) => {
  const ends = new WeakMap<object, () => void>()
  return {
    begin: (harness: ProviderHarness) =>
      Effect.sync(() => {
        const { simulator } = platformOf(harness)
        ends.set(harness, simulator.faults.calls({ refuse: new AwsError(code, message, status) }))
      }),
    end: (harness: ProviderHarness) => Effect.sync(() => ends.get(harness)!())
  }
}

ProviderSuite.suite("aws:alb", {
  capabilities,
  groups: ["metrics", "drift", "restart", "canGoBack", "alarms"],
  timeoutMillis: 120_000,
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
