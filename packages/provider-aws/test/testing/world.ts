/**
 * A simulator with a live service, and the vendor's own clients.
 */
import { AutoScaling } from "@aws-sdk/client-auto-scaling"
import { CloudWatch } from "@aws-sdk/client-cloudwatch"
import { EC2 } from "@aws-sdk/client-ec2"
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2"
import { STS } from "@aws-sdk/client-sts"
import { Agent, request } from "node:http"
import { text } from "node:stream/consumers"
import { type AwsSimulatorOptions, type SeedOptions, startAwsSimulator } from "../../src/testing/index.ts"

export const clients = (endpoint: string) => {
  const config = {
    endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "deployer", secretAccessKey: "simulated" }
  }
  return {
    elb: new ElasticLoadBalancingV2(config),
    scaling: new AutoScaling(config),
    ec2: new EC2(config),
    watch: new CloudWatch(config),
    sts: new STS(config)
  }
}

const agent = new Agent({ keepAlive: true })

/** Much cheaper than `fetch`, for thousands of requests. */
const get = (url: string, headers: Readonly<Record<string, string>>) =>
  new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const sent = request(url, { agent, headers }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode!, body }), reject)
    })
    sent.once("error", reject)
    sent.end()
  })

/** Time stands still unless a test advances it. */
export const world = async (options: AwsSimulatorOptions = {}, seed: SeedOptions = {}) => {
  const simulator = await startAwsSimulator({
    scale: 0,
    apps: { "s3://shop/v1": { body: "v1" }, "s3://shop/v2": { body: "v2" } },
    ...options
  })
  const service = await simulator.seed(seed)
  const vendor = clients(simulator.endpoint)
  const { blue, green, listener } = service
  const url = simulator.listenerUrl(listener)

  const forward = (blueWeight: number, greenWeight: number) => ({
    Type: "forward" as const,
    ForwardConfig: {
      TargetGroups: [
        { TargetGroupArn: blue.targetGroup, Weight: blueWeight },
        { TargetGroupArn: green.targetGroup, Weight: greenWeight }
      ]
    }
  })

  return {
    ...vendor,
    simulator,
    service,
    url,
    forward,
    /** Gives both groups a weight. */
    weigh: (blueWeight: number, greenWeight: number) =>
      vendor.elb.modifyListener({ ListenerArn: listener, DefaultActions: [forward(blueWeight, greenWeight)] }),
    states: async (targetGroup: string) => {
      const { TargetHealthDescriptions } = await vendor.elb.describeTargetHealth({ TargetGroupArn: targetGroup })
      return TargetHealthDescriptions!.map(({ TargetHealth }) =>
        [TargetHealth!.State, TargetHealth!.Reason].filter((one) => one !== undefined).join(" ")
      )
    },
    /** Another version of the launch template of a group, and instances of it. */
    launch: async (side: typeof green, source: string, count: number) => {
      const UserData = Buffer.from(`#!/bin/sh\nrun ${source}\n`).toString("base64")
      const { LaunchTemplateVersion: made } = await vendor.ec2.createLaunchTemplateVersion({
        LaunchTemplateId: side.launchTemplate,
        SourceVersion: "1",
        LaunchTemplateData: { UserData }
      })
      const Version = String(made!.VersionNumber)
      await vendor.scaling.updateAutoScalingGroup({
        AutoScalingGroupName: side.group,
        LaunchTemplate: { LaunchTemplateId: side.launchTemplate, Version },
        DesiredCapacity: count
      })
      return Version
    },
    /** How many of that many requests were answered how. */
    ask: async (times: number, headers: Readonly<Record<string, string>> = {}, path = "/") => {
      const counts: Record<string, number> = {}
      let left = times
      const visitor = async () => {
        while (left-- > 0) {
          const { body, status } = await get(url + path, headers)
          const key = status === 200 ? body : String(status)
          counts[key] = (counts[key] ?? 0) + 1
        }
      }
      await Promise.all(Array.from({ length: 10 }, visitor))
      return counts
    },
    [Symbol.asyncDispose]: () => simulator.close()
  }
}
