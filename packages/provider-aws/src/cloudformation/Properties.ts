/**
 * The properties of a CloudFormation stack.
 */
import * as Schema from "effect/Schema"
import { decodeProperties } from "@signalbox/core/spi"
import { arnOf, optional, pattern } from "../client/properties.ts"

const ResourceType = pattern(/^[A-Za-z0-9]+(::[A-Za-z0-9]+)+$/, "a type of resource, such as AWS::RDS::DBInstance")

/** A secret, by the name of the environment variable that holds it. */
const SecretReference = Schema.Struct({
  $secret: pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable")
})

/** Outputs of other stacks may be numbers and booleans. */
const Value = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])

/**
 * The properties of a stack of CloudFormation.
 *
 * *Details*:
 * - `stackName` its name at AWS (default: deployment, environment and stack); an existing stack of that name is adopted
 * - `template` a JSON or YAML file, `cdk.out#Stack` for one that CDK has written, or an address in S3 (`s3://bucket/key`, `https://…`), if
 *   the deployment does not name one with `--artifact`
 * - `parameters`, `tags`, `capabilities` as CloudFormation has them; a parameter is how the version reaches the template:
 *   `{ "ImageTag": "${version}" }`. A parameter that is not given keeps its value; so do all tags if none are given.
 *   `{ "$secret": "NAME" }` takes the value of an environment variable, for a parameter with `NoEcho`
 * - `roleArn` the role that CloudFormation uses, `assumeRole` the one that calls it
 * - `rollbackTriggers` up to five `alarms`, by ARN, that turn an update back, also `minutes` (0–180, default 0) afterwards
 * - `protect` types whose resources may not be deleted or replaced
 * - `resourcesToSkip` what a rollback that is stuck may leave as it is
 * - `retainOnDestroy` resources that stay if they cannot be deleted; `forceDestroy` leaves all such resources
 */
export const Properties = Schema.Struct({
  stackName: Schema.optionalKey(
    pattern(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, "up to 128 letters, digits and hyphens, the first one a letter")
  ),
  template: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  parameters: optional(Schema.Record(Schema.String, Schema.Union([...Value.members, SecretReference])), {}),
  tags: Schema.optionalKey(Schema.Record(Schema.String, Value)),
  capabilities: optional(
    Schema.Array(Schema.Literals(["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"])),
    []
  ),
  roleArn: Schema.optionalKey(arnOf("iam", "the ARN of a role")),
  assumeRole: Schema.optionalKey(arnOf("iam", "the ARN of a role")),
  rollbackTriggers: Schema.optionalKey(
    Schema.Struct({
      alarms: Schema.Array(arnOf("cloudwatch", "the ARN of an alarm")).check(Schema.isMaxLength(5)),
      minutes: optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 180 })), 0)
    })
  ),
  protect: optional(Schema.Array(ResourceType), []),
  resourcesToSkip: optional(Schema.Array(Schema.String), []),
  retainOnDestroy: optional(Schema.Array(Schema.String), []),
  forceDestroy: optional(Schema.Boolean, false)
})
export type Properties = typeof Properties.Type

/** Decodes properties; a failure points at the first mistake. */
export const decode = decodeProperties(Properties)
