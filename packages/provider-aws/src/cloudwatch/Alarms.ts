/**
 * The alarms of CloudWatch, for gates.
 */
import type { AlarmState, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { type Aws, type AwsPlace, awsReason } from "../client/index.ts"

const states: Readonly<Record<string, AlarmState>> = {
  OK: "ok",
  ALARM: "alarm",
  INSUFFICIENT_DATA: "insufficient_data"
}

/** CloudWatch answers for so many names at once. */
const most = 100

/** The state of each alarm; a name without an alarm is `Missing`. */
export const alarmStates = (
  aws: Aws,
  place: AwsPlace,
  names: ReadonlyArray<string>
): Effect.Effect<Readonly<Record<string, AlarmState>>, ProviderReason> =>
  Effect.gen(function* () {
    const found: Record<string, AlarmState> = {}
    for (let from = 0; from < names.length; from += most) {
      const { CompositeAlarms = [], MetricAlarms = [] } = yield* Effect.tryPromise({
        try: async (abortSignal) => {
          const client = await aws.cloudWatch(place)
          return client.describeAlarms(
            {
              AlarmNames: names.slice(from, from + most),
              AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
              MaxRecords: most
            },
            { abortSignal }
          )
        },
        catch: (error) => awsReason(error, "cloudwatch:DescribeAlarms")
      })
      for (const { AlarmName, StateValue } of [...MetricAlarms, ...CompositeAlarms]) {
        found[AlarmName!] = states[StateValue ?? ""] ?? "insufficient_data"
      }
    }
    const missing = names.filter((name) => found[name] === undefined)
    if (missing.length === 0) return found
    return yield* Effect.fail<ProviderReason>({ _tag: "Missing", message: `there is no alarm ${missing.join(", ")}` })
  })
