/**
 * Instances: each runs the application that its launch template leads to.
 */
import type { Instance as InstanceJson } from "@aws-sdk/client-ec2"
import type { SimulatedClock } from "../SimulatedClock.ts"
import type { Place } from "../Place.ts"
import { type App, type RunningApp, startApp } from "./Apps.ts"
import type { ResolvedTemplate } from "./LaunchTemplates.ts"

export interface Instance {
  readonly id: string
  readonly template: ResolvedTemplate
  /** The name of the application: an address in S3 of the user data, or the id of the image. */
  readonly source: string
  readonly group: string
  readonly at: Date
  state: "running" | "terminated"
  app: RunningApp | undefined
}

/** `s3://bucket/key` in the user data names the application, and the image does otherwise. */
export const sourceOf = ({ data }: ResolvedTemplate): string => {
  const script = Buffer.from(data.UserData ?? "", "base64").toString()
  return /s3:\/\/[^\s"']+/.exec(script)?.[0] ?? data.ImageId ?? "none"
}

/** User data that names an application. */
export const sourceScript = (source: string): string =>
  Buffer.from(`#!/bin/sh\naws s3 cp ${source} /opt/app && exec /opt/app\n`).toString("base64")

export class Instances {
  readonly all = new Map<string, Instance>()
  readonly #apps = new Map<string, App>()
  readonly #place: Place
  readonly #clock: SimulatedClock
  readonly #random: () => number

  constructor(place: Place, clock: SimulatedClock, random: () => number) {
    this.#place = place
    this.#clock = clock
    this.#random = random
  }

  /** Makes an application known, by the id of an image or an address in S3. */
  push(source: string, app: App): void {
    this.#apps.set(source, app)
  }

  /** Starts an instance. An application that is not known answers with its own name. */
  async launch(template: ResolvedTemplate, group: string): Promise<Instance> {
    const source = sourceOf(template)
    const id = `i-0${this.#place.id(16)}`
    const env = { INSTANCE_ID: id, APP_SOURCE: source }
    const app = await startApp(this.#apps.get(source) ?? { body: source }, env, this.#random)
    const at = new Date(this.#clock.now())
    const instance: Instance = { id, template, source, group, at, state: "running", app }
    this.all.set(id, instance)
    return instance
  }

  /** Where an instance that runs listens. */
  readonly portOf = (id: string): number | undefined => {
    const instance = this.all.get(id)
    return instance?.state === "running" ? instance.app?.port : undefined
  }

  async terminate(id: string): Promise<void> {
    const instance = this.all.get(id)
    if (instance === undefined || instance.state === "terminated") return
    instance.state = "terminated"
    await instance.app?.stop()
  }

  /** Ends the application; the instance goes on, as if nothing had happened. */
  async kill(id: string): Promise<void> {
    await this.all.get(id)?.app?.stop()
  }

  json(instance: Instance): InstanceJson {
    return {
      InstanceId: instance.id,
      ...(instance.template.data.ImageId === undefined ? {} : { ImageId: instance.template.data.ImageId }),
      InstanceType: instance.template.data.InstanceType ?? "t3.micro",
      LaunchTime: instance.at,
      State: instance.state === "running" ? { Code: 16, Name: "running" } : { Code: 48, Name: "terminated" },
      PrivateIpAddress: "127.0.0.1",
      VpcId: "vpc-0a1b2c3d",
      Placement: { AvailabilityZone: `${this.#place.region}a` },
      Tags: [
        { Key: "aws:autoscaling:groupName", Value: instance.group },
        { Key: "aws:ec2launchtemplate:id", Value: instance.template.id },
        { Key: "aws:ec2launchtemplate:version", Value: String(instance.template.version) }
      ]
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.all.keys()].map((id) => this.terminate(id)))
  }
}
