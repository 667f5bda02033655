/**
 * A platform that refuses every call for a while, for the provider suites.
 */
import type { ProviderSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { AwsError } from "../../src/testing/index.ts"
import type { Platform } from "./platform.ts"

type ProviderHarness = ProviderSuite.ProviderHarness

/** A harness with its platform. */
export interface Harness extends ProviderHarness {
  readonly platform: Platform
}

export const platformOf = (harness: ProviderHarness): Platform => (harness as Harness).platform

/** Refuses every call until it is over. */
export const refusing = (code: string, message: string, status: number) => {
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

/** Brings an alarm into a state, and returns its name. */
export const alarmIn = ({ simulator }: Platform, state: "ok" | "alarm" | "insufficient_data") =>
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
