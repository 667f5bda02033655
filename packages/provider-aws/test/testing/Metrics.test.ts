/**
 * What CloudWatch shows of real requests.
 */
import type { GetMetricDataCommandInput } from "@aws-sdk/client-cloudwatch"
import { assert, describe, expect, it } from "vitest"
import { world } from "./world.ts"

type World = Awaited<ReturnType<typeof world>>

const minute = 60_000

const dimensions = ({ service }: World, side?: "blue" | "green") => [
  { Name: "LoadBalancer", Value: service.loadBalancer.split(":loadbalancer/")[1]! },
  ...(side === undefined ? [] : [{ Name: "TargetGroup", Value: service[side].targetGroup.split(":").at(-1)! }])
]

/** The values of the last so many minutes, oldest first, with the minute that they began in. */
const read = async (aws: World, MetricName: string, Stat: string, side?: "blue" | "green", minutes = 10) => {
  const now = aws.simulator.now()
  const { MetricDataResults } = await aws.watch.getMetricData({
    StartTime: new Date(now - minutes * minute),
    EndTime: new Date(now),
    ScanBy: "TimestampAscending",
    MetricDataQueries: [
      {
        Id: "one",
        MetricStat: {
          Metric: { Namespace: "AWS/ApplicationELB", MetricName, Dimensions: dimensions(aws, side) },
          Period: 60,
          Stat
        }
      }
    ]
  })
  const [{ Timestamps, Values }] = MetricDataResults as [{ Timestamps: Array<Date>; Values: Array<number> }]
  return Timestamps.map((at, index) => [at.getTime(), Values[index]!] as const)
}

/** The beginning of the next minute. */
const nextMinute = async (aws: World) => {
  await aws.simulator.advance(minute - (aws.simulator.now() % minute))
  return aws.simulator.now()
}

describe("the metrics", { concurrent: true }, () => {
  it("count real requests by minute, and appear two minutes after it", async () => {
    await using aws = await world({ apps: { "s3://shop/v1": { body: "v1" }, "s3://shop/v2": { errorRate: 1 } } })
    await aws.launch(aws.service.green, "s3://shop/v2", 1)
    await aws.weigh(3, 1)
    await aws.simulator.advance(30_000)
    const start = await nextMinute(aws)
    await aws.ask(40)
    await aws.simulator.advance(3 * minute - 1)
    assert.deepStrictEqual(await read(aws, "RequestCount", "Sum"), [])
    await aws.simulator.advance(1)
    assert.deepStrictEqual(await read(aws, "RequestCount", "Sum"), [[start, 40]])
    assert.deepStrictEqual(await read(aws, "RequestCount", "Sum", "blue"), [[start, 30]])
    assert.deepStrictEqual(await read(aws, "RequestCount", "Sum", "green"), [[start, 10]])
    assert.deepStrictEqual(await read(aws, "HTTPCode_Target_5XX_Count", "Sum", "green"), [[start, 10]])
    // What was not counted is missing, and not 0.
    assert.deepStrictEqual(await read(aws, "HTTPCode_Target_5XX_Count", "Sum", "blue"), [])
    const [[, average]] = (await read(aws, "TargetResponseTime", "p95", "blue")) as [readonly [number, number]]
    expect(average).toBeGreaterThan(0)
  })

  it("count errors of the load balancer itself for the load balancer alone", async () => {
    await using aws = await world()
    const start = await nextMinute(aws)
    for (const { id } of aws.simulator.instances()) await aws.simulator.faults.kill(id)
    await aws.ask(4)
    await aws.weigh(0, 1)
    aws.simulator.faults.weights(0)
    await aws.weigh(0, 1)
    await aws.ask(6)
    await aws.simulator.advance(3 * minute)
    assert.deepStrictEqual(await read(aws, "HTTPCode_ELB_502_Count", "Sum"), [[start, 4]])
    assert.deepStrictEqual(await read(aws, "HTTPCode_ELB_503_Count", "Sum"), [[start, 6]])
    assert.deepStrictEqual(await read(aws, "HTTPCode_ELB_5XX_Count", "Sum"), [[start, 10]])
    assert.deepStrictEqual(await read(aws, "HTTPCode_ELB_5XX_Count", "Sum", "blue"), [])
    // A request without a target is not counted.
    assert.deepStrictEqual(await read(aws, "RequestCount", "Sum"), [[start, 4]])
  })

  it("know how many hosts were healthy at least", async () => {
    await using aws = await world()
    await nextMinute(aws)
    await aws.simulator.advance(2 * minute)
    aws.simulator.faults.noCapacity(aws.service.blue.group)
    await aws.simulator.faults.terminate(aws.simulator.instances()[0]!.id)
    await aws.simulator.advance(3 * minute)
    const values = (await read(aws, "HealthyHostCount", "Minimum", "blue")).map(([, value]) => value)
    assert.deepStrictEqual([values.at(0), values.at(-1)], [2, 1])
    assert.deepStrictEqual(await read(aws, "HealthyHostCount", "Minimum", "green"), [])
  })

  it("lose a minute, or come later, where a fault wants it", async () => {
    await using aws = await world()
    const start = await nextMinute(aws)
    for (let at = 0; at < 3; at++) {
      await aws.ask(5)
      await aws.simulator.advance(minute)
    }
    aws.simulator.faults.loseMinute(start + minute)
    aws.simulator.faults.metricsLate(5 * minute)
    await aws.simulator.advance(3 * minute)
    assert.deepStrictEqual(await read(aws, "RequestCount", "Sum"), [[start, 5]])
    await aws.simulator.advance(2 * minute)
    assert.deepStrictEqual(await read(aws, "RequestCount", "Sum"), [
      [start, 5],
      [start + 2 * minute, 5]
    ])
  })

  it("are newest first unless asked otherwise, add up longer periods, and end before the end of the window", async () => {
    await using aws = await world()
    const hour = 60 * minute
    await aws.simulator.advance(hour - (aws.simulator.now() % hour))
    const start = aws.simulator.now()
    for (let at = 0; at < 6; at++) {
      await aws.ask(at + 1)
      await aws.simulator.advance(minute)
    }
    await aws.simulator.advance(2 * minute)
    const MetricStat = (Period: number) => ({
      Metric: { Namespace: "AWS/ApplicationELB", MetricName: "RequestCount", Dimensions: dimensions(aws) },
      Period,
      Stat: "Sum"
    })
    const asked: GetMetricDataCommandInput = {
      StartTime: new Date(start),
      EndTime: new Date(start + 5 * minute),
      MetricDataQueries: [
        { Id: "minutes", MetricStat: MetricStat(60) },
        { Id: "five", MetricStat: MetricStat(300) }
      ]
    }
    aws.simulator.faults.partialMetrics(1)
    const partial = (await aws.watch.getMetricData(asked)).MetricDataResults!
    expect(partial[0]).toMatchObject({ StatusCode: "PartialData", Values: [4, 3, 2, 1] })
    const { MetricDataResults } = await aws.watch.getMetricData(asked)
    expect(MetricDataResults).toMatchObject([
      { Id: "minutes", Values: [5, 4, 3, 2, 1], StatusCode: "Complete" },
      { Id: "five", Values: [15], Timestamps: [new Date(start)] }
    ])
  })
})

describe("alarms", { concurrent: true }, () => {
  it("go off by metrics that can be seen, and end", async () => {
    await using aws = await world({ apps: { "s3://shop/v1": { status: 500, unhealthy: false } } })
    await aws.watch.putMetricAlarm({
      AlarmName: "errors",
      Namespace: "AWS/ApplicationELB",
      MetricName: "HTTPCode_Target_5XX_Count",
      Dimensions: dimensions(aws, "blue"),
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 1,
      Threshold: 10,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      TreatMissingData: "notBreaching"
    })
    const state = async () => {
      const { MetricAlarms } = await aws.watch.describeAlarms({ AlarmNames: ["errors"] })
      return MetricAlarms![0]!.StateValue
    }
    assert.strictEqual(await state(), "INSUFFICIENT_DATA")
    await aws.simulator.advance(minute)
    assert.strictEqual(await state(), "OK")
    await nextMinute(aws)
    await aws.ask(10)
    await aws.simulator.advance(3 * minute)
    await aws.simulator.advance(minute)
    assert.strictEqual(await state(), "ALARM")
    await aws.simulator.advance(4 * minute)
    assert.strictEqual(await state(), "OK")
    await aws.watch.deleteAlarms({ AlarmNames: ["errors"] })
    await expect(aws.watch.deleteAlarms({ AlarmNames: ["errors"] })).rejects.toMatchObject({ name: "ResourceNotFound" })
  })
})
