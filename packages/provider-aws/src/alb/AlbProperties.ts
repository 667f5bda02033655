/**
 * The properties of a service behind an Application Load Balancer.
 */
import { decodeProperties } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { AutoScalingGroupName, TemplateVersion } from "../groups/LaunchProperties.ts"
import { arnOf, between, optional, pattern } from "../client/properties.ts"

const elb = (resource: string, expected: string) =>
  pattern(new RegExp(`^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\\d{12}:${resource}/`), expected)

/** One of the two places of a service: what the listener forwards to, and what launches its targets. */
export const Side = Schema.Struct({
  targetGroup: elb("targetgroup", "the ARN of a target group"),
  autoScalingGroup: AutoScalingGroupName
})

/**
 * The properties of a service behind an Application Load Balancer.
 *
 * *Details*:
 * - `listener` whose default action forwards to the service, or `rule`, by ARN: one of the two
 * - `blue` and `green` the two target groups, each with its Auto Scaling group; a release is brought in on the idle one
 * - `launchTemplate` the version that the one of each release is made from
 * - `artifact` if the deployment does not name one with `--artifact`: an image (`ami-…`), or an archive
 *   (`s3://bucket/api-${version}.zip`) that takes the place of `__SIGNALBOX_ARTIFACT__` in the user data;
 *   `__SIGNALBOX_VERSION__` is the version there
 * - `capacity` instances of a release, and `minimum` of them that automatic scaling leaves (default both: as the stable
 *   release has)
 * - `testRule` a rule that leads to the candidate before it has traffic, and `testUrl` an address that it answers; both
 *   or none
 * - `stickiness` what to do about sessions that stick to a target group: `refuse` (default), or `wait` until they are over
 * - `verifyTraffic` what shows that a target group has no requests any more: `metrics` of a whole minute (default), or
 *   the `api`, which only repeats what was asked for
 * - `startSeconds` how long an instance may be unhealthy after its launch (default: the grace period of its group)
 * - `assumeRole` the role that calls AWS
 */
export const AlbProperties = Schema.Struct({
  listener: Schema.optionalKey(elb("listener", "the ARN of a listener")),
  rule: Schema.optionalKey(elb("listener-rule", "the ARN of a rule")),
  blue: Side,
  green: Side,
  launchTemplate: TemplateVersion,
  artifact: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  capacity: Schema.optionalKey(between(1, 1000)),
  minimum: Schema.optionalKey(between(0, 1000)),
  testRule: Schema.optionalKey(elb("listener-rule", "the ARN of a rule")),
  testUrl: Schema.optionalKey(pattern(/^https?:\/\/\S+$/, "an address that begins with http:// or https://")),
  stickiness: optional(Schema.Literals(["refuse", "wait"]), "refuse"),
  verifyTraffic: optional(Schema.Literals(["metrics", "api"]), "metrics"),
  startSeconds: Schema.optionalKey(between(1, 7200)),
  assumeRole: Schema.optionalKey(arnOf("iam", "the ARN of a role"))
}).check(
  Schema.makeFilter((given) => {
    if ((given.listener === undefined) === (given.rule === undefined)) {
      return { path: ["listener"], issue: "name either a listener or a rule" }
    }
    if ((given.testRule === undefined) !== (given.testUrl === undefined)) {
      return { path: ["testRule"], issue: "testRule and testUrl belong together" }
    }
    if (given.blue.targetGroup === given.green.targetGroup) {
      return { path: ["green", "targetGroup"], issue: "blue and green have the same target group" }
    }
    if (given.blue.autoScalingGroup === given.green.autoScalingGroup) {
      return { path: ["green", "autoScalingGroup"], issue: "blue and green have the same Auto Scaling group" }
    }
    if (given.capacity !== undefined && given.minimum !== undefined && given.capacity < given.minimum) {
      return { path: ["capacity"], issue: `the capacity (${given.capacity}) is under the minimum (${given.minimum})` }
    }
    return undefined
  })
)
export type AlbProperties = typeof AlbProperties.Type

/** Decodes properties; a failure points at the first mistake. */
export const decode = decodeProperties(AlbProperties)

/** The names of the two places. */
export const colours = ["blue", "green"] as const
export type Colour = (typeof colours)[number]

export const otherThan = (colour: Colour): Colour => (colour === "blue" ? "green" : "blue")

/** What forwards to the service: the ARN of a listener or of a rule. */
export const forwarderOf = ({ listener, rule }: AlbProperties): string => (rule ?? listener)!
