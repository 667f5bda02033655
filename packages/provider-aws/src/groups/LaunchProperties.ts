/**
 * The properties of what instances are launched from.
 */
import * as Schema from "effect/Schema"
import { between, pattern } from "../client/properties.ts"

/** An image, or an archive that the user data fetch. */
export const artifactPattern = /^(ami-[0-9a-f]{8,17}|s3:\/\/[a-z0-9][a-z0-9.-]+\/\S+)$/

/** A launch template, by a version that never changes. */
export const TemplateVersion = Schema.Struct({
  id: pattern(/^lt-[0-9a-f]{8,17}$/, "the ID of a launch template, such as lt-0123456789abcdef0"),
  version: between(1, 1_000_000).annotate({
    expected: "the number of a version: $Latest and $Default name another one tomorrow, so nothing could go back"
  })
})
export type TemplateVersion = typeof TemplateVersion.Type

export const AutoScalingGroupName = Schema.String.check(
  Schema.isPattern(/^[^:\s][^:]{0,254}$/, { expected: "the name of an Auto Scaling group" })
)
