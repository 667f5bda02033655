/**
 * A service that is live already: a load balancer that forwards to one of two groups, without weights, as someone has made it by
 * hand.
 */
import type {
  CreateListenerCommandOutput,
  CreateTargetGroupCommandOutput
} from "@aws-sdk/client-elastic-load-balancing-v2"
import type {
  CreateLoadBalancerCommandOutput,
  DescribeTargetHealthCommandOutput
} from "@aws-sdk/client-elastic-load-balancing-v2"
import type { CreateLaunchTemplateCommandOutput } from "@aws-sdk/client-ec2"
import { sourceScript } from "./ec2/Instances.ts"

/**
 * What a service looks like.
 *
 * *Details*: `name` is the beginning of all names (default `shop`), `source` the application that it runs (default
 * `s3://shop/v1`), and `instances` how many (default 2). `drainSeconds` is the deregistration delay (default 30). `secure` makes
 * it a listener for HTTPS, which is still served without encryption.
 */
export interface SeedOptions {
  readonly name?: string
  readonly source?: string
  readonly instances?: number
  readonly drainSeconds?: number
  readonly secure?: boolean
}

/** One of the two sides of a service. */
export interface LiveSide {
  readonly targetGroup: string
  readonly group: string
  readonly launchTemplate: string
}

/** The ARNs and names of a live service. */
export interface LiveService {
  readonly loadBalancer: string
  readonly listener: string
  /** The side that serves, and the one that is empty and that no rule names. */
  readonly blue: LiveSide
  readonly green: LiveSide
}

type Call = (operation: string, input: object) => Promise<unknown>

export const seedService = async (
  call: Call,
  advance: (millis: number) => Promise<void>,
  { drainSeconds = 30, instances = 2, name = "shop", secure = false, source = "s3://shop/v1" }: SeedOptions
): Promise<LiveService> => {
  const { LoadBalancers } = (await call("CreateLoadBalancer", {
    Name: name,
    Subnets: ["subnet-0a", "subnet-0b"]
  })) as CreateLoadBalancerCommandOutput
  const loadBalancer = LoadBalancers![0]!.LoadBalancerArn!
  const side = async (colour: string, desired: number): Promise<LiveSide> => {
    const { TargetGroups } = (await call("CreateTargetGroup", {
      Name: `${name}-${colour}`,
      Protocol: "HTTP",
      Port: 80,
      VpcId: "vpc-0a1b2c3d",
      HealthCheckIntervalSeconds: 10,
      HealthyThresholdCount: 2
    })) as CreateTargetGroupCommandOutput
    const targetGroup = TargetGroups![0]!.TargetGroupArn!
    await call("ModifyTargetGroupAttributes", {
      TargetGroupArn: targetGroup,
      Attributes: [{ Key: "deregistration_delay.timeout_seconds", Value: String(drainSeconds) }]
    })
    const { LaunchTemplate } = (await call("CreateLaunchTemplate", {
      LaunchTemplateName: `${name}-${colour}`,
      LaunchTemplateData: { ImageId: "ami-0a1b2c3d4e5f67890", InstanceType: "t3.micro", UserData: sourceScript(source) }
    })) as CreateLaunchTemplateCommandOutput
    const launchTemplate = LaunchTemplate!.LaunchTemplateId!
    await call("CreateAutoScalingGroup", {
      AutoScalingGroupName: `${name}-${colour}`,
      LaunchTemplate: { LaunchTemplateId: launchTemplate, Version: "1" },
      MinSize: 0,
      MaxSize: Math.max(4, instances * 2),
      DesiredCapacity: desired,
      TargetGroupARNs: [targetGroup],
      HealthCheckType: "ELB",
      HealthCheckGracePeriod: 60,
      VPCZoneIdentifier: "subnet-0a,subnet-0b"
    })
    return { targetGroup, group: `${name}-${colour}`, launchTemplate }
  }
  const [blue, green] = [await side("blue", instances), await side("green", 0)]
  const { Listeners } = (await call("CreateListener", {
    LoadBalancerArn: loadBalancer,
    Port: secure ? 443 : 80,
    Protocol: secure ? "HTTPS" : "HTTP",
    DefaultActions: [{ Type: "forward", TargetGroupArn: blue.targetGroup }]
  })) as CreateListenerCommandOutput
  const service = { loadBalancer, listener: Listeners![0]!.ListenerArn!, blue, green }
  for (let waited = 0; waited < 600; waited++) {
    const { TargetHealthDescriptions: targets } = (await call("DescribeTargetHealth", {
      TargetGroupArn: blue.targetGroup
    })) as DescribeTargetHealthCommandOutput
    const healthy = targets!.filter(({ TargetHealth }) => TargetHealth!.State === "healthy")
    if (healthy.length === instances) return service
    await advance(1000)
  }
  throw new Error(`The instances of ${name} did not become healthy: does ${source} answer with 200?`)
}
