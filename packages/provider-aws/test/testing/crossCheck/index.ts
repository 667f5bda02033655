/**
 * One script of calls, for the simulator and for moto, which others have written. What they answer is compared.
 */
import { listeners } from "./listeners.ts"
import { rules } from "./rules.ts"
import { groups, templates } from "./scaling.ts"
import { Script, type Side } from "./Script.ts"

export { reasons } from "./differences.ts"
export type { Side } from "./Script.ts"

const metrics = async ({ step }: Script, { aws: { sts, watch } }: Side): Promise<void> => {
  await step("metrics that are not there", async () => {
    const { MetricDataResults } = await watch.getMetricData({
      StartTime: new Date("2026-01-01T00:00:00Z"),
      EndTime: new Date("2026-01-01T01:00:00Z"),
      MetricDataQueries: [
        { Id: "none", MetricStat: { Metric: { Namespace: "Shop", MetricName: "None" }, Period: 60, Stat: "Sum" } }
      ]
    })
    return MetricDataResults!.map(({ StatusCode, Values }) => ({ StatusCode, Values }))
  })
  await step("an alarm that does not exist", async () => {
    const { MetricAlarms } = await watch.describeAlarms({ AlarmNames: ["none"] })
    return MetricAlarms
  })
  await step("who calls", async () => Object.keys(await sts.getCallerIdentity({})).sort())
}

export const crossCheck = async (side: Side): Promise<ReadonlyMap<string, string>> => {
  const script = new Script()
  const made = await listeners(script, side)
  await rules(script, side, made)
  await groups(script, side, made, await templates(script, side))
  await metrics(script, side)
  return script.answers
}
