/**
 * The properties of an Auto Scaling group whose instances are replaced by a refresh.
 */
import { decodeProperties } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { arnOf, between, optional } from "../client/properties.ts"
import { AutoScalingGroupName, TemplateVersion } from "../groups/LaunchProperties.ts"

/**
 * The properties of an Auto Scaling group.
 *
 * *Details*:
 * - `autoScalingGroup` its name
 * - `launchTemplate` the version that the one of each release is made from
 * - `artifact` if the deployment does not name one with `--artifact`: an image (`ami-…`), or an archive
 *   (`s3://bucket/api-${version}.zip`) that takes the place of `__SIGNALBOX_ARTIFACT__` in the user data
 * - `capacity` instances of the first release; later ones have as many as there are
 * - `minHealthyPercentage` (0–100, default 90) and `maxHealthyPercentage` (100–200) of the capacity while instances are
 *   replaced, at most 100 apart
 * - `checkpoints` ascending percentages at which the refresh waits for `checkpointSeconds` (0–172,800, default 3600)
 * - `bakeSeconds` (0–172,800, default 0) how long it waits after the last instance
 * - `alarms` of CloudWatch, up to ten, that turn it back; `warmupSeconds` of an instance (default: the group's)
 * - `startSeconds` how long an instance of the first release may be unhealthy (default: the grace period of the group)
 * - `assumeRole` the role that calls AWS
 */
export const AsgProperties = Schema.Struct({
  autoScalingGroup: AutoScalingGroupName,
  launchTemplate: TemplateVersion,
  artifact: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  capacity: Schema.optionalKey(between(1, 1000)),
  minHealthyPercentage: optional(between(0, 100), 90),
  maxHealthyPercentage: Schema.optionalKey(between(100, 200)),
  checkpoints: optional(Schema.Array(between(1, 100)), []),
  checkpointSeconds: optional(between(0, 172_800), 3600),
  bakeSeconds: optional(between(0, 172_800), 0),
  warmupSeconds: Schema.optionalKey(between(0, 3600)),
  alarms: optional(Schema.Array(Schema.String.check(Schema.isMinLength(1))).check(Schema.isMaxLength(10)), []),
  startSeconds: Schema.optionalKey(between(1, 7200)),
  assumeRole: Schema.optionalKey(arnOf("iam", "the ARN of a role"))
}).check(
  Schema.makeFilter(({ checkpoints, maxHealthyPercentage, minHealthyPercentage }) => {
    if (checkpoints.some((one, index) => index > 0 && one <= checkpoints[index - 1]!)) {
      return { path: ["checkpoints"], issue: "checkpoints have to ascend" }
    }
    if (maxHealthyPercentage !== undefined && maxHealthyPercentage - minHealthyPercentage > 100) {
      return {
        path: ["maxHealthyPercentage"],
        issue: "minHealthyPercentage and maxHealthyPercentage are over 100 apart"
      }
    }
    return undefined
  })
)
export type AsgProperties = typeof AsgProperties.Type

/** Decodes properties; a failure points at the first mistake. */
export const decode = decodeProperties(AsgProperties)
