/**
 * The ledger counts what happened, whatever happens.
 */
import * as FastCheck from "fast-check"
import { describe, expect, it } from "vitest"
import { world } from "./world.ts"

const minute = 60_000

const weight = FastCheck.constantFrom(0, 1, 50, 999)

const deed = FastCheck.oneof(
  FastCheck.record({ kind: FastCheck.constant("weigh" as const), blue: weight, green: weight }),
  FastCheck.record({ kind: FastCheck.constant("ask" as const), times: FastCheck.integer({ min: 1, max: 25 }) }),
  FastCheck.record({ kind: FastCheck.constant("wait" as const), seconds: FastCheck.integer({ min: 1, max: 90 }) }),
  FastCheck.record({ kind: FastCheck.constant("scale" as const), count: FastCheck.integer({ min: 0, max: 2 }) })
)

describe("the ledger", () => {
  it("has each request, write and metric once", async () => {
    const property = FastCheck.asyncProperty(FastCheck.array(deed, { maxLength: 12 }), async (deeds) => {
      await using aws = await world({}, { drainSeconds: 20 })
      await aws.launch(aws.service.green, "s3://shop/v2", 1)
      await aws.weigh(1, 1)
      await aws.simulator.advance(30_000)
      aws.simulator.ledger.reset()
      let [asked, writes, unavailable] = [0, 0, 0]
      for (const one of deeds) {
        if (one.kind === "weigh") await aws.weigh(one.blue, one.green)
        else if (one.kind === "wait") await aws.simulator.advance(one.seconds * 1000)
        else if (one.kind === "scale") {
          const AutoScalingGroupName = aws.service.green.group
          await aws.scaling.setDesiredCapacity({ AutoScalingGroupName, DesiredCapacity: one.count })
        } else {
          asked += one.times
          unavailable += (await aws.ask(one.times))["503"] ?? 0
        }
        if (one.kind === "weigh" || one.kind === "scale") writes += 1
      }
      const { ledger } = aws.simulator
      expect(ledger.writes).toHaveLength(writes)
      const counted = [...ledger.requests.values()]
      const answered = counted.reduce((sum, group) => sum + group.answered, 0)
      expect(answered).toBe(asked - unavailable)
      // Without any weight, there is no group to count for.
      expect(counted.reduce((sum, group) => sum + group.unanswered, 0)).toBeLessThanOrEqual(unavailable)
      expect(ledger.toTargetsTakenAway).toBeLessThanOrEqual(unavailable)
      await aws.simulator.advance(4 * minute)
      const now = aws.simulator.now()
      const { MetricDataResults } = await aws.watch.getMetricData({
        StartTime: new Date(now - 60 * minute),
        EndTime: new Date(now),
        MetricDataQueries: ["RequestCount", "HTTPCode_ELB_503_Count"].map((MetricName, at) => ({
          Id: `m${at}`,
          MetricStat: {
            Metric: {
              Namespace: "AWS/ApplicationELB",
              MetricName,
              Dimensions: [{ Name: "LoadBalancer", Value: aws.service.loadBalancer.split(":loadbalancer/")[1]! }]
            },
            Period: 60,
            Stat: "Sum"
          }
        }))
      })
      const sums = MetricDataResults!.map(({ Values }) => Values!.reduce((sum, value) => sum + value, 0))
      expect(sums).toEqual([answered, unavailable])
      expect(ledger.capacity.get(aws.service.blue.group)).toEqual({ now: 2, minimum: 2 })
    })
    await FastCheck.assert(property, { numRuns: 12 })
  })
})
