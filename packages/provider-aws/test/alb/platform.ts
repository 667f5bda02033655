/**
 * A simulated service behind a load balancer, with applications to deploy there, and looks at it that do not go through the
 * provider.
 */
import { DeploymentId, EnvironmentName, type Provider, StackName, type StackRef } from "@signalbox/core/spi"
import type * as Clock from "effect/Clock"
import { make } from "../../src/alb/AlbProvider.ts"
import { placeholders } from "../../src/groups/LaunchRelease.ts"
import {
  type AwsSimulator,
  type AwsSimulatorOptions,
  type LiveService,
  startAwsSimulator
} from "../../src/testing/index.ts"
import { inTimeOf } from "./time.ts"

export const sourceOf = (version: string): string => `s3://shop-builds/api-${version}.zip`

export const candidate = (version: string) => ({ version, artifact: sourceOf(version) })

/** A simulator with a live service. */
export interface Platform {
  readonly simulator: AwsSimulator
  readonly service: LiveService
  /** The launch template that releases are made from, at its first version. */
  readonly template: string
}

export const prober = "ELB-HealthChecker/2.0"

/** Answers no health check for more than half a second. */
const slow = () => {
  let began: number | undefined
  return {
    answer: (
      request: { readonly headers: { readonly "user-agent"?: string } },
      response: { writeHead: (status: number) => { end: (body: string) => void } }
    ) => {
      began ??= performance.now()
      const early = request.headers["user-agent"] === prober && performance.now() - began < 600
      response.writeHead(early ? 503 : 200).end("slow")
    }
  }
}

export const script = Buffer.from(`#!/bin/sh\naws s3 cp ${placeholders.artifact} /opt/app && exec /opt/app\n`).toString(
  "base64"
)

/** Starts a simulator whose time stands still until it is turned: v1 and v2 start, `broken` is never healthy, and `slow` takes its time. */
export const platform = async (
  options: AwsSimulatorOptions & { readonly instances?: number } = {}
): Promise<Platform> => {
  const simulator = await startAwsSimulator({ scale: 0, launchMillis: 2000, weightMillis: [0], ...options })
  for (const version of ["v1", "v2", "v3"]) simulator.push(sourceOf(version), { body: version })
  simulator.push(sourceOf("slow"), slow() as never)
  simulator.push(sourceOf("broken"), { body: "broken", unhealthy: true })
  const service = await simulator.seed({
    source: sourceOf("v1"),
    drainSeconds: 5,
    instances: options.instances ?? 2
  })
  const made = (await simulator.edit("CreateLaunchTemplate", {
    LaunchTemplateName: "api",
    LaunchTemplateData: { ImageId: "ami-0a1b2c3d4e5f67890", InstanceType: "t3.micro", UserData: script }
  })) as { readonly LaunchTemplate: { readonly LaunchTemplateId: string } }
  // The provider gives an instance up before the group replaces it.
  for (const { group } of [service.blue, service.green]) {
    await simulator.edit("UpdateAutoScalingGroup", { AutoScalingGroupName: group, HealthCheckGracePeriod: 600 })
  }
  return { simulator, service, template: made.LaunchTemplate.LaunchTemplateId }
}

/** Takes the instances of the live service away, so that nothing is deployed. */
export const emptied = async ({ service, simulator }: Platform): Promise<void> => {
  await simulator.edit("UpdateAutoScalingGroup", {
    AutoScalingGroupName: service.blue.group,
    MinSize: 0,
    DesiredCapacity: 0
  })
  while (simulator.instances().length > 0) await simulator.advance(1000)
}

export const propertiesOf = ({ service, template }: Platform) => ({
  listener: service.listener,
  blue: { targetGroup: service.blue.targetGroup, autoScalingGroup: service.blue.group },
  green: { targetGroup: service.green.targetGroup, autoScalingGroup: service.green.group },
  launchTemplate: { id: template, version: 1 },
  capacity: 2,
  startSeconds: 400
})

export const refOf = (platform: Platform, properties: { readonly [key: string]: unknown } = {}): StackRef => ({
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties: { ...propertiesOf(platform), ...properties } as unknown as StackRef["properties"],
  region: platform.simulator.region
})

/** A provider that lives in the time of the simulator. */
export const providerOf = (platform: Platform, clock?: Clock.Clock): Provider => {
  const { endpoint, region } = platform.simulator
  const credentials = { accessKeyId: "deployer", secretAccessKey: "secret" }
  return inTimeOf(platform, make({ endpoint, region, credentials, poll: { first: 1000, most: 10_000 } }), clock)
}

/** The share of each version in percent, by asking. Answers without a version (503) are not counted. */
export const sharesOf = async ({ service, simulator }: Platform, requests = 100): Promise<Record<string, number>> => {
  const url = simulator.listenerUrl(service.listener)
  const counts: Record<string, number> = {}
  for (let n = 0; n < requests; n++) {
    const response = await fetch(url)
    const version = await response.text()
    if (response.ok) counts[version] = (counts[version] ?? 0) + 100 / requests
  }
  return counts
}

/** How many instances of each version run. */
export const running = ({ simulator }: Platform): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { source } of simulator.instances()) {
    const version = source.replace(/^.*api-/, "").replace(".zip", "")
    counts[version] = (counts[version] ?? 0) + 1
  }
  return counts
}

/** The actions of the listener, as they are. */
export const actionsOf = async ({ service, simulator }: Platform) => {
  const { Listeners } = (await simulator.edit("DescribeListeners", { ListenerArns: [service.listener] })) as {
    readonly Listeners: ReadonlyArray<{ readonly DefaultActions: ReadonlyArray<Record<string, unknown>> }>
  }
  return Listeners[0]!.DefaultActions
}
