/**
 * Alarms, evaluated once in a minute by what can be seen then.
 */
import {
  type DeleteAlarmsCommandInput,
  type DeleteAlarmsCommandOutput,
  DeleteAlarms$,
  type DescribeAlarmsCommandInput,
  type DescribeAlarmsCommandOutput,
  DescribeAlarms$,
  type MetricAlarm,
  type PutMetricAlarmCommandInput,
  type PutMetricAlarmCommandOutput,
  PutMetricAlarm$,
  type SetAlarmStateCommandInput,
  type SetAlarmStateCommandOutput,
  SetAlarmState$
} from "@aws-sdk/client-cloudwatch"
import { arnOf, type Place } from "../Place.ts"
import type { SimulatedClock } from "../SimulatedClock.ts"
import { AwsError, invalid } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { type MetricStore, minute } from "./MetricStore.ts"
import { valuesOf } from "./metrics.ts"

type State = "OK" | "ALARM" | "INSUFFICIENT_DATA"

interface Alarm {
  readonly arn: string
  input: PutMetricAlarmCommandInput
  state: State
  reason: string
  at: Date
}

const comparisons: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
  LessThanThreshold: (value, threshold) => value < threshold
}

export class Alarms {
  readonly all = new Map<string, Alarm>()
  readonly #place: Place
  readonly #clock: SimulatedClock
  readonly #store: MetricStore

  constructor(place: Place, clock: SimulatedClock, store: MetricStore) {
    this.#place = place
    this.#clock = clock
    this.#store = store
  }

  readonly isAlarm = (name: string): boolean | undefined => {
    const alarm = this.all.get(name)
    return alarm === undefined ? undefined : alarm.state === "ALARM"
  }

  evaluate(): void {
    for (const alarm of this.all.values()) this.#evaluate(alarm)
  }

  #evaluate(alarm: Alarm): void {
    const { input } = alarm
    const { EvaluationPeriods = 1, Period = 60, Threshold = 0, TreatMissingData = "missing" } = input
    const needed = input.DatapointsToAlarm ?? EvaluationPeriods
    const period = Period * 1000
    // The newest period that is complete and can be seen.
    const end = Math.floor((this.#clock.now() - this.#store.late) / period) * period
    const stat = {
      Metric: { Namespace: input.Namespace, MetricName: input.MetricName, Dimensions: input.Dimensions },
      Period,
      Stat: input.Statistic ?? input.ExtendedStatistic
    }
    const known = new Map(
      valuesOf(this.#store, stat, end - EvaluationPeriods * period, end).map(({ at, value }) => [at, value])
    )
    const breaches = comparisons[input.ComparisonOperator!]!
    const points = Array.from({ length: EvaluationPeriods }, (_, at) => known.get(end - (at + 1) * period))
    const breaching = points.filter((value) =>
      value === undefined ? TreatMissingData === "breaching" : breaches(value, Threshold)
    ).length
    const nothing = points.every((value) => value === undefined)
    if (nothing && TreatMissingData === "ignore") return
    const state: State =
      nothing && TreatMissingData === "missing" ? "INSUFFICIENT_DATA" : breaching >= needed ? "ALARM" : "OK"
    this.#set(alarm, state, `Threshold Crossed: ${breaching} datapoints of ${EvaluationPeriods} breach ${Threshold}`)
  }

  #set(alarm: Alarm, state: State, reason: string): void {
    if (alarm.state === state) return
    Object.assign(alarm, { state, reason, at: new Date(this.#clock.now()) })
  }

  #json({ arn, at, input, reason, state }: Alarm): MetricAlarm {
    const { Tags: _, ...settings } = input
    return {
      ...settings,
      AlarmArn: arn,
      ActionsEnabled: input.ActionsEnabled ?? true,
      StateValue: state,
      StateReason: reason,
      StateUpdatedTimestamp: at
    }
  }

  readonly operations: Service["operations"] = {
    DescribeAlarms: operation<DescribeAlarmsCommandInput, DescribeAlarmsCommandOutput>(
      DescribeAlarms$,
      ({ AlarmNamePrefix = "", AlarmNames = [], StateValue }) => ({
        MetricAlarms: [...this.all.values()]
          .filter(({ input }) => AlarmNames.length === 0 || AlarmNames.includes(input.AlarmName!))
          .filter(({ input, state }) => input.AlarmName!.startsWith(AlarmNamePrefix) && (StateValue ?? state) === state)
          .map((alarm) => this.#json(alarm)),
        CompositeAlarms: []
      })
    ),
    PutMetricAlarm: operation<PutMetricAlarmCommandInput, PutMetricAlarmCommandOutput>(PutMetricAlarm$, (input) => {
      const name = input.AlarmName!
      if (input.MetricName === undefined) throw invalid("The simulator has only alarms on single metrics")
      if (comparisons[input.ComparisonOperator!] === undefined) {
        throw invalid(`The simulator does not compare by '${input.ComparisonOperator}'`)
      }
      const known = this.all.get(name)
      if (known !== undefined) known.input = input
      else {
        this.all.set(name, {
          arn: arnOf(this.#place, "cloudwatch", `alarm:${name}`),
          input,
          state: "INSUFFICIENT_DATA",
          reason: "Unchecked: Initial alarm creation",
          at: new Date(this.#clock.now())
        })
      }
      return {}
    }),
    SetAlarmState: operation<SetAlarmStateCommandInput, SetAlarmStateCommandOutput>(
      SetAlarmState$,
      ({ AlarmName, StateReason, StateValue }) => {
        const alarm = this.all.get(AlarmName!)
        if (alarm === undefined) throw new AwsError("ResourceNotFound", `The alarm ${AlarmName} does not exist`)
        this.#set(alarm, StateValue as State, StateReason!)
        return {}
      }
    ),
    DeleteAlarms: operation<DeleteAlarmsCommandInput, DeleteAlarmsCommandOutput>(
      DeleteAlarms$,
      ({ AlarmNames = [] }) => {
        for (const name of AlarmNames) {
          if (!this.all.delete(name)) throw new AwsError("ResourceNotFound", `The alarm ${name} does not exist`)
        }
        return {}
      }
    )
  }
}

/** How often alarms are evaluated. */
export const evaluationInterval = minute
