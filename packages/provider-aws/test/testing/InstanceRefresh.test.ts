/**
 * Instance refreshes: how instances are replaced, and what may stop it.
 */
import type { StartInstanceRefreshCommandInput } from "@aws-sdk/client-auto-scaling"
import { assert, describe, expect, it } from "vitest"
import { world } from "./world.ts"

type World = Awaited<ReturnType<typeof world>>

/** Begins to refresh the group that serves, to a new version of its template. */
const begin = async (
  aws: World,
  Preferences: StartInstanceRefreshCommandInput["Preferences"] = {},
  source = "s3://shop/v2"
) => {
  const { blue } = aws.service
  const UserData = Buffer.from(source).toString("base64")
  const { LaunchTemplateVersion: made } = await aws.ec2.createLaunchTemplateVersion({
    LaunchTemplateId: blue.launchTemplate,
    SourceVersion: "1",
    LaunchTemplateData: { UserData }
  })
  const LaunchTemplate = { LaunchTemplateId: blue.launchTemplate, Version: String(made!.VersionNumber) }
  await aws.scaling.startInstanceRefresh({
    AutoScalingGroupName: blue.group,
    DesiredConfiguration: { LaunchTemplate },
    Preferences: { InstanceWarmup: 10, SkipMatching: true, ...Preferences }
  })
}

const latest = async (aws: World) => {
  const { InstanceRefreshes } = await aws.scaling.describeInstanceRefreshes({
    AutoScalingGroupName: aws.service.blue.group
  })
  return InstanceRefreshes![0]!
}

/** What instances run, and how often; draining ones too. */
const sources = (aws: World) =>
  aws.simulator
    .instances(aws.service.blue.group)
    .map(({ source }) => source.slice(-2))
    .sort()

const versionOf = async (aws: World) => {
  const names = { AutoScalingGroupNames: [aws.service.blue.group] }
  const { AutoScalingGroups } = await aws.scaling.describeAutoScalingGroups(names)
  return AutoScalingGroups![0]!.LaunchTemplate!.Version
}

const alarm = (aws: World, StateValue: "ALARM" | "OK") =>
  aws.watch.setAlarmState({ AlarmName: "errors", StateValue, StateReason: "a test" })

const addAlarm = async (aws: World) => {
  await aws.watch.putMetricAlarm({
    AlarmName: "errors",
    Namespace: "AWS/ApplicationELB",
    MetricName: "HTTPCode_Target_5XX_Count",
    Statistic: "Sum",
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 10,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    TreatMissingData: "ignore"
  })
}

describe("an instance refresh", { concurrent: true }, () => {
  it("replaces all instances with a surge, never below the minimum, and only then changes the group", async () => {
    await using aws = await world({}, { instances: 4 })
    await begin(aws, { MinHealthyPercentage: 100, MaxHealthyPercentage: 150 })
    await aws.simulator.advance(15_000)
    expect(sources(aws)).toEqual(["v1", "v1", "v1", "v1", "v2", "v2"])
    expect(await latest(aws)).toMatchObject({ Status: "InProgress", PercentageComplete: 0, InstancesToUpdate: 4 })
    assert.strictEqual(await versionOf(aws), "1")
    await aws.simulator.advance(300_000)
    expect(await latest(aws)).toMatchObject({ Status: "Successful", PercentageComplete: 100, InstancesToUpdate: 0 })
    expect(sources(aws)).toEqual(["v2", "v2", "v2", "v2"])
    assert.strictEqual(await versionOf(aws), "2")
    expect(aws.simulator.ledger.capacity.get(aws.service.blue.group)!.minimum).toBe(4)
  })

  it("terminates first without an upper limit, and launches first where both limits leave no room", async () => {
    const minimum = async (preferences: StartInstanceRefreshCommandInput["Preferences"]) => {
      await using aws = await world()
      await begin(aws, preferences)
      await aws.simulator.advance(400_000)
      expect(await latest(aws)).toMatchObject({ Status: "Successful" })
      return aws.simulator.ledger.capacity.get(aws.service.blue.group)!.minimum
    }
    assert.strictEqual(await minimum({ MinHealthyPercentage: 100 }), 1)
    assert.strictEqual(await minimum({ MinHealthyPercentage: 100, MaxHealthyPercentage: 100 }), 2)
    assert.strictEqual(await minimum({ MinHealthyPercentage: 0 }), 0)
  })

  it("waits at checkpoints, and bakes at the end", async () => {
    await using aws = await world({}, { instances: 4 })
    await begin(aws, { CheckpointPercentages: [25, 100], CheckpointDelay: 600, BakeTime: 300 })
    await aws.simulator.advance(500_000)
    expect(await latest(aws)).toMatchObject({ Status: "InProgress", PercentageComplete: 25, InstancesToUpdate: 3 })
    expect(sources(aws)).toEqual(["v1", "v1", "v1", "v2"])
    await aws.simulator.advance(450_000)
    expect(await latest(aws)).toMatchObject({ Status: "Baking", PercentageComplete: 100 })
    assert.strictEqual(await versionOf(aws), "1")
    await aws.simulator.advance(300_000)
    expect(await latest(aws)).toMatchObject({ Status: "Successful" })
    assert.strictEqual(await versionOf(aws), "2")
  })

  it("fails on an alarm, and goes back by itself if it may", async () => {
    for (const AutoRollback of [true, false]) {
      await using aws = await world()
      await addAlarm(aws)
      await begin(aws, { AutoRollback, AlarmSpecification: { Alarms: ["errors"] }, BakeTime: 600 })
      await aws.simulator.advance(300_000)
      expect(await latest(aws)).toMatchObject({ Status: "Baking" })
      await alarm(aws, "ALARM")
      await aws.simulator.advance(300_000)
      const Status = AutoRollback ? "RollbackSuccessful" : "Failed"
      expect(await latest(aws)).toMatchObject({ Status, StatusReason: "CloudWatch alarm errors went into ALARM state" })
      expect(sources(aws)).toEqual(AutoRollback ? ["v1", "v1"] : ["v2", "v2"])
      assert.strictEqual(await versionOf(aws), "1")
    }
  })

  it("goes back on request, and its percentage counts down", async () => {
    await using aws = await world({}, { instances: 4 })
    await begin(aws, { CheckpointPercentages: [50, 100] })
    await aws.simulator.advance(300_000)
    expect(await latest(aws)).toMatchObject({ PercentageComplete: 50 })
    await aws.scaling.rollbackInstanceRefresh({ AutoScalingGroupName: aws.service.blue.group })
    await aws.simulator.advance(35_000)
    expect(await latest(aws)).toMatchObject({
      Status: "RollbackInProgress",
      PercentageComplete: 25,
      RollbackDetails: { PercentageCompleteOnRollback: 50, InstancesToUpdateOnRollback: 2 }
    })
    await aws.simulator.advance(200_000)
    expect(await latest(aws)).toMatchObject({ Status: "RollbackSuccessful", PercentageComplete: 0 })
    expect(sources(aws)).toEqual(["v1", "v1", "v1", "v1"])
  })

  it("fails when new instances do not become healthy, and returns to the old version", async () => {
    await using aws = await world({ apps: { "s3://shop/v1": { body: "v1" }, "s3://shop/v3": { status: 500 } } })
    await begin(aws, { AutoRollback: true, MinHealthyPercentage: 50 }, "s3://shop/v3")
    await aws.simulator.advance(3_700_000)
    await aws.simulator.advance(300_000)
    expect(await latest(aws)).toMatchObject({ Status: "RollbackSuccessful" })
    expect(sources(aws)).toEqual(["v1", "v1"])
    assert.strictEqual(await versionOf(aws), "1")
  })

  it("skips what matches, and replaces it too without that", async () => {
    for (const SkipMatching of [true, false]) {
      await using aws = await world()
      const before = aws.simulator.instances().map(({ id }) => id)
      const LaunchTemplate = { LaunchTemplateId: aws.service.blue.launchTemplate, Version: "1" }
      await aws.scaling.startInstanceRefresh({
        AutoScalingGroupName: aws.service.blue.group,
        DesiredConfiguration: { LaunchTemplate },
        Preferences: { SkipMatching, InstanceWarmup: 0 }
      })
      await aws.simulator.advance(300_000)
      expect(await latest(aws)).toMatchObject({ Status: "Successful" })
      const kept = aws.simulator.instances().filter(({ id }) => before.includes(id))
      assert.strictEqual(kept.length, SkipMatching ? 2 : 0)
    }
  })

  it("is cancelled without going back", async () => {
    await using aws = await world()
    await begin(aws, { CheckpointPercentages: [50, 100] })
    await aws.simulator.advance(300_000)
    await aws.scaling.cancelInstanceRefresh({ AutoScalingGroupName: aws.service.blue.group })
    await aws.simulator.advance(2000)
    expect(await latest(aws)).toMatchObject({ Status: "Cancelled" })
    expect(sources(aws)).toEqual(["v1", "v2"])
  })

  it("refuses what AWS refuses, each with its own name", async () => {
    await using aws = await world()
    const { blue } = aws.service
    const AutoScalingGroupName = blue.group
    const at = (Version: string) => ({ LaunchTemplate: { LaunchTemplateId: blue.launchTemplate, Version } })
    const start = (DesiredConfiguration: object | undefined, Preferences: object) =>
      aws.scaling.startInstanceRefresh({
        AutoScalingGroupName,
        Preferences,
        ...(DesiredConfiguration === undefined ? {} : { DesiredConfiguration })
      })
    const names = { name: "ValidationError" }
    await expect(start(at("$Latest"), { AutoRollback: true })).rejects.toMatchObject(names)
    await expect(start(undefined, { AutoRollback: true })).rejects.toMatchObject(names)
    await expect(start(at("1"), { MaxHealthyPercentage: 150 })).rejects.toMatchObject(names)
    await expect(start(at("1"), { MinHealthyPercentage: 0, MaxHealthyPercentage: 150 })).rejects.toMatchObject(names)
    await expect(start(at("1"), { CheckpointPercentages: [50, 20] })).rejects.toMatchObject(names)
    await expect(start(at("1"), { AlarmSpecification: { Alarms: ["none"] } })).rejects.toMatchObject(names)
    const rolledBack = () => aws.scaling.rollbackInstanceRefresh({ AutoScalingGroupName })
    await expect(rolledBack()).rejects.toMatchObject({ name: "ActiveInstanceRefreshNotFoundFault" })
    await start(at("$Latest"), {})
    await expect(start(at("1"), {})).rejects.toMatchObject({ name: "InstanceRefreshInProgressFault" })
    await expect(rolledBack()).rejects.toMatchObject({ name: "IrreversibleInstanceRefreshFault" })
  })
})
