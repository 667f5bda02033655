/**
 * What a stack is brought to: a template with its parameters and tags, as plans and checkpoints keep it.
 */
import type { Parameter, Stack, Tag } from "@aws-sdk/client-cloudformation"
import type { Json, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { gunzipSync, gzipSync } from "node:zlib"
import type { Secrets } from "./Secrets.ts"
import type { Properties } from "./Properties.ts"
import type { TemplateInput } from "./template/TemplateUpload.ts"
import { parametersOf, type Seen, tagsOf } from "./Seen.ts"

const Values = Schema.Record(Schema.String, Schema.String)

/**
 * *Details*: parameters in `previous` keep the value that they have, those in `secrets` get the one of an environment variable.
 * Without `tags`, the tags stay as they are.
 */
export const Deployable = Schema.Struct({
  body: Schema.String,
  parameters: Values,
  previous: Schema.Array(Schema.String),
  secrets: Schema.optionalKey(Schema.Array(Schema.String)),
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

/** What a stack has now, to return to it. A parameter that takes a secret may have been shown until now: it is not kept. */
export const present = ({ stack, template }: Seen, secrets: Secrets): Deployable => {
  const parameters = Object.entries(parametersOf(stack))
  const isHidden = ([name, value]: readonly [string, string]) => value === hidden || secrets.has(name)
  return {
    body: template.body,
    parameters: Object.fromEntries(parameters.filter((one) => !isHidden(one))),
    previous: parameters.filter(isHidden).map(([name]) => name),
    tags: tagsOf(stack),
    capabilities: stack.Capabilities ?? []
  }
}

/** The values of all parameters. What the stack does not have to keep any more is taken from the secrets. */
const valuesOf = (
  { parameters, previous, secrets: fresh = [] }: Deployable,
  secrets: Secrets,
  stack: Stack | null
): Effect.Effect<ReadonlyArray<Parameter>, ProviderReason> => {
  const had = stack === null ? {} : parametersOf(stack)
  const kept = previous.filter((name) => Object.hasOwn(had, name))
  const again = previous.filter((name) => !kept.includes(name) && secrets.has(name))
  return Effect.map(
    Effect.forEach([...fresh, ...again], (ParameterKey) =>
      Effect.map(secrets.value(ParameterKey), (ParameterValue): Parameter => ({ ParameterKey, ParameterValue }))
    ),
    (secret) => [
      ...Object.entries(parameters).map(([ParameterKey, ParameterValue]): Parameter => ({
        ParameterKey,
        ParameterValue
      })),
      ...secret,
      ...kept.map((ParameterKey): Parameter => ({ ParameterKey, UsePreviousValue: true }))
    ]
  )
}

/** The part of a call that says what to bring a stack to. */
export type Input = ReturnType<typeof input>

/** The same, with a template that was brought to where CloudFormation can read it. */
export const inputOf = (
  deployable: Deployable,
  template: TemplateInput,
  properties: Properties,
  secrets: Secrets,
  stack: Stack | null
): Effect.Effect<Input, ProviderReason> =>
  Effect.map(valuesOf(deployable, secrets, stack), (parameters) => input(deployable, template, properties, parameters))

const input = (
  { capabilities, tags }: Deployable,
  template: TemplateInput,
  { roleArn, rollbackTriggers }: Properties,
  parameters: ReadonlyArray<Parameter>
) => ({
  ...template,
  Parameters: [...parameters],
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
