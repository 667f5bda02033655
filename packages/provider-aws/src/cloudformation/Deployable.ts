/**
 * What a stack is brought to: a template with its parameters and tags, as plans and checkpoints keep it.
 */
import type { Parameter, Stack, Tag } from "@aws-sdk/client-cloudformation"
import type { Json } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { gunzipSync, gzipSync } from "node:zlib"
import type { Properties } from "./Properties.ts"
import type { TemplateInput } from "./template/TemplateUpload.ts"
import { parametersOf, type Seen, tagsOf } from "./Seen.ts"

const Values = Schema.Record(Schema.String, Schema.String)

/**
 * *Details*: parameters in `previous` keep the value that they have. Without `tags`, the tags stay as they are.
 */
export const Deployable = Schema.Struct({
  body: Schema.String,
  parameters: Values,
  previous: Schema.Array(Schema.String),
  tags: Schema.optionalKey(Values),
  capabilities: Schema.Array(Schema.String)
})
export type Deployable = typeof Deployable.Type

/** As JSON for the log; a template is mostly repetition. */
export const pack = ({ body, ...rest }: Deployable): { readonly [key: string]: Json } => ({
  ...rest,
  template: gzipSync(body).toString("base64")
})

export const unpack = (data: Json | undefined): Deployable | null => {
  if (typeof data !== "object" || data === null || !("template" in data)) return null
  const { template, ...rest } = data as { readonly template: string }
  return Schema.decodeUnknownSync(Deployable)({
    ...rest,
    body: gunzipSync(Buffer.from(template, "base64")).toString("utf8")
  })
}

/** CloudFormation shows a parameter with `NoEcho` like this. */
export const hidden = "****"

/** What a stack has now, to return to it. */
export const present = ({ stack, template }: Seen): Deployable => {
  const parameters = Object.entries(parametersOf(stack))
  return {
    body: template.body,
    parameters: Object.fromEntries(parameters.filter(([, value]) => value !== hidden)),
    previous: parameters.filter(([, value]) => value === hidden).map(([name]) => name),
    tags: tagsOf(stack),
    capabilities: stack.Capabilities ?? []
  }
}

/** The part of a call that says what to bring a stack to. */
export const inputOf = (
  { capabilities, parameters, previous, tags }: Deployable,
  template: TemplateInput,
  { roleArn, rollbackTriggers }: Properties,
  stack: Stack | null
) => ({
  ...template,
  Parameters: [
    ...Object.entries(parameters).map(([ParameterKey, ParameterValue]): Parameter => ({
      ParameterKey,
      ParameterValue
    })),
    ...(stack === null ? [] : previous.map((ParameterKey): Parameter => ({ ParameterKey, UsePreviousValue: true })))
  ],
  ...(tags === undefined ? {} : { Tags: Object.entries(tags).map(([Key, Value]): Tag => ({ Key, Value })) }),
  Capabilities: capabilities as Array<"CAPABILITY_IAM">,
  ...(roleArn === undefined ? {} : { RoleARN: roleArn }),
  ...(rollbackTriggers === undefined
    ? {}
    : {
        RollbackConfiguration: {
          RollbackTriggers: rollbackTriggers.alarms.map((Arn) => ({ Arn, Type: "AWS::CloudWatch::Alarm" })),
          MonitoringTimeInMinutes: rollbackTriggers.minutes
        }
      })
})
