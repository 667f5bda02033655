/**
 * The clients of AWS: each service is loaded when it is first called, once for each region and role.
 */
import type { AutoScaling } from "@aws-sdk/client-auto-scaling"
import type { CloudFormation } from "@aws-sdk/client-cloudformation"
import type { CloudWatch } from "@aws-sdk/client-cloudwatch"
import type { EC2 } from "@aws-sdk/client-ec2"
import type { ECS } from "@aws-sdk/client-ecs"
import type { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { S3 } from "@aws-sdk/client-s3"
import type { STS } from "@aws-sdk/client-sts"

/**
 * How AWS is reached.
 *
 * *Details*: by default as the vendor's own tools do it: `AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL`, and the
 * credentials of the environment, of SSO, of OIDC or of the instance.
 */
export interface AwsOptions {
  readonly region?: string
  readonly profile?: string
  readonly endpoint?: string
  /** For tests; a plug-in takes no secrets in its options. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** Where a call goes, and with which role. */
export interface AwsPlace {
  readonly region?: string | undefined
  readonly assumeRole?: string | undefined
}

/** Longer than any answer takes, and shorter than a lease. */
const requestTimeout = 10_000

export class Aws {
  readonly #options: AwsOptions
  readonly #clients = new Map<string, Promise<unknown>>()

  constructor(options: AwsOptions) {
    this.#options = options
  }

  cloudFormation(place: AwsPlace): Promise<CloudFormation> {
    return this.#client("cloudformation", place, async (config) => {
      const { CloudFormation } = await import("@aws-sdk/client-cloudformation")
      return new CloudFormation(config)
    })
  }

  cloudWatch(place: AwsPlace): Promise<CloudWatch> {
    return this.#client("cloudwatch", place, async (config) => {
      const { CloudWatch } = await import("@aws-sdk/client-cloudwatch")
      return new CloudWatch(config)
    })
  }

  autoScaling(place: AwsPlace): Promise<AutoScaling> {
    return this.#client("auto-scaling", place, async (config) => {
      const { AutoScaling } = await import("@aws-sdk/client-auto-scaling")
      return new AutoScaling(config)
    })
  }

  ec2(place: AwsPlace): Promise<EC2> {
    return this.#client("ec2", place, async (config) => {
      const { EC2 } = await import("@aws-sdk/client-ec2")
      return new EC2(config)
    })
  }

  loadBalancing(place: AwsPlace): Promise<ElasticLoadBalancingV2> {
    return this.#client("load-balancing", place, async (config) => {
      const { ElasticLoadBalancingV2 } = await import("@aws-sdk/client-elastic-load-balancing-v2")
      return new ElasticLoadBalancingV2(config)
    })
  }

  ecs(place: AwsPlace): Promise<ECS> {
    return this.#client("ecs", place, async (config) => {
      const { ECS } = await import("@aws-sdk/client-ecs")
      return new ECS(config)
    })
  }

  sts(place: AwsPlace): Promise<STS> {
    return this.#client("sts", place, async (config) => {
      const { STS } = await import("@aws-sdk/client-sts")
      return new STS(config)
    })
  }

  s3(place: AwsPlace): Promise<S3> {
    return this.#client("s3", place, async (config) => {
      const { S3 } = await import("@aws-sdk/client-s3")
      // The form of URL that CloudFormation and emulators understand alike. A bucket may be in another region.
      return new S3({ ...config, forcePathStyle: true, followRegionRedirects: true })
    })
  }

  #client<Client>(
    service: string,
    { assumeRole, region = this.#options.region }: AwsPlace,
    make: (config: object) => Promise<Client>
  ): Promise<Client> {
    const key = [service, region, assumeRole].join(" ")
    const known = this.#clients.get(key)
    if (known !== undefined) return known as Promise<Client>
    const made = this.#credentials(region, assumeRole).then((credentials) =>
      make({
        ...(region === undefined ? {} : { region }),
        ...(this.#options.endpoint === undefined ? {} : { endpoint: this.#options.endpoint }),
        ...(credentials === undefined ? {} : { credentials }),
        // Each call is repeated by the client, so that a whole operation seldom is.
        maxAttempts: 4,
        requestHandler: { requestTimeout, connectionTimeout: 5_000, throwOnRequestTimeout: true }
      })
    )
    // A client that could not be made is made again by the next call.
    made.catch(() => this.#clients.delete(key))
    this.#clients.set(key, made)
    return made
  }

  /** The credentials that are configured here; undefined leaves it to the default chain. */
  async #credentials(region: string | undefined, assumeRole: string | undefined): Promise<unknown> {
    const { credentials, profile } = this.#options
    if (assumeRole === undefined && (credentials !== undefined || profile === undefined)) return credentials
    const { fromNodeProviderChain, fromTemporaryCredentials } = await import("@aws-sdk/credential-providers")
    const own = credentials ?? fromNodeProviderChain(profile === undefined ? {} : { profile })
    if (assumeRole === undefined) return own
    const { endpoint } = this.#options
    return fromTemporaryCredentials({
      masterCredentials: own,
      params: { RoleArn: assumeRole, RoleSessionName: "signalbox" },
      clientConfig: { ...(region === undefined ? {} : { region }), ...(endpoint === undefined ? {} : { endpoint }) }
    })
  }
}
