import { defineConfig } from "@signalbox/core"
import { alb, autoScaling, aws } from "@signalbox/provider-aws"
import type { LiveService } from "@signalbox/provider-aws/testing"

/** What the simulator has made; in an account, these names are in the configuration. */
const { service, template } = JSON.parse(process.env["SERVICE"] ?? "{}") as {
  readonly service: LiveService
  readonly template: string
}

const strategies = {
  canary: {
    type: "canary",
    steps: [
      { weight: 10, bake: "1 minute" },
      { weight: 50, bake: "1 minute" }
    ]
  },
  blue_green: { type: "blue_green", bake: "1 minute" },
  rolling: { type: "rolling", batches: 2, bake: "1 minute" },
  asg: { type: "all_at_once" }
} as const
const chosen = process.env["STRATEGY"] as keyof typeof strategies

const common = {
  name: "api",
  strategy: strategies[chosen],
  gate: {
    gracePeriod: "0 millis",
    interval: "10 seconds",
    consecutivePasses: 1,
    minSamples: 20,
    errorWindow: "3 minutes",
    maxErrorCount: 10
  }
} as const

const launchTemplate = { id: template, version: 1 }
const artifact = "s3://shop-builds/api-${version}.zip"

export default defineConfig({
  organization: "acme",
  project: "shop",
  // The time of the example runs faster than the machine.
  leaseTtl: "15 minutes",
  environments: { production: { region: "eu-central-1" } },
  plugins: [aws()],
  stacks: [
    chosen === "asg"
      ? autoScaling({
          ...common,
          properties: { autoScalingGroup: service.blue.group, launchTemplate, artifact, warmupSeconds: 30 }
        })
      : alb({
          ...common,
          properties: {
            listener: service.listener,
            blue: { targetGroup: service.blue.targetGroup, autoScalingGroup: service.blue.group },
            green: { targetGroup: service.green.targetGroup, autoScalingGroup: service.green.group },
            launchTemplate,
            artifact,
            capacity: 2
          }
        })
  ]
})
