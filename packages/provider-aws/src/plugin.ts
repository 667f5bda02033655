import { effectProvider, type Plugin, stackBuilder, type StackBuilder } from "@signalbox/core/plugin"
import * as AlbProvider from "./alb/AlbProvider.ts"
import type { AlbProperties } from "./alb/AlbProperties.ts"
import * as AsgProvider from "./asg/AsgProvider.ts"
import type { AsgProperties } from "./asg/AsgProperties.ts"
import * as CloudFormationProvider from "./cloudformation/CloudFormationProvider.ts"
import type { Properties } from "./cloudformation/Properties.ts"

/**
 * The options of the plug-in.
 *
 * *Details*: `region` (default: the one of the environment, then `AWS_REGION`), `profile` (default `AWS_PROFILE`) and
 * `endpoint` (default `AWS_ENDPOINT_URL`). Templates of more than 51,200 bytes go through `bucket`. `metrics` says whether
 * gates of `aws:alb` judge the requests that CloudWatch has counted (default true). Credentials come from where the vendor's
 * own tools find them.
 */
export interface AwsPluginOptions {
  readonly region?: string
  readonly profile?: string
  readonly endpoint?: string
  readonly bucket?: string
  readonly metrics?: boolean
}

/**
 * Deploys CloudFormation stacks and services behind an Application Load Balancer or on an Auto Scaling group, and keeps a shared store in DynamoDB (`dynamodb://<table>?region=<region>`).
 *
 * *Example*
 *
 * ```ts
 * defineConfig({ ..., plugins: [aws({ region: "eu-west-1" })], stacks: [cloudformation({ name: "api", properties })] })
 * ```
 */
export const aws = (options: AwsPluginOptions = {}): Plugin => ({
  name: "@signalbox/provider-aws",
  spiVersion: 1,
  options: { ...options },
  providers: {
    [CloudFormationProvider.kind]: effectProvider(({ directory }) =>
      CloudFormationProvider.make({ ...options, directory })
    ),
    [AlbProvider.kind]: effectProvider(() => AlbProvider.make(options)),
    [AsgProvider.kind]: effectProvider(() => AsgProvider.make(options))
  },
  stores: { dynamodb: { load: async (url) => (await import("./dynamodb/store.ts")).openStore(url) } },
  commands: {
    aws: {
      description:
        "Prepare AWS for Signalbox: bootstrap creates the table of a shared store and the bucket of long templates, iam-policy prints policies",
      run: async (invocation) => (await import("./command.ts")).run(invocation)
    }
  }
})

/**
 * Builds a stack of CloudFormation, with typed properties.
 *
 * *Example*
 *
 * ```ts
 * cloudformation({ name: "api", properties: { template: "api.yaml", parameters: { ImageTag: "${version}" } } })
 * ```
 */
export const cloudformation: StackBuilder<typeof Properties.Encoded> = stackBuilder(CloudFormationProvider.kind)

/**
 * Builds a stack that is a service behind an Application Load Balancer, with typed properties.
 *
 * *Example*
 *
 * ```ts
 * alb({ name: "api", properties: { listener, blue, green, launchTemplate, artifact: "s3://shop-builds/api-${version}.zip" } })
 * ```
 */
export const alb: StackBuilder<typeof AlbProperties.Encoded> = stackBuilder(AlbProvider.kind)

/**
 * Builds a stack that is an Auto Scaling group, with typed properties.
 *
 * *Example*
 *
 * ```ts
 * autoScaling({ name: "worker", properties: { autoScalingGroup: "worker", launchTemplate, artifact: "ami-…" } })
 * ```
 */
export const autoScaling: StackBuilder<typeof AsgProperties.Encoded> = stackBuilder(AsgProvider.kind)
