import { Configuration } from "@signalbox/core/config"
import type { Capabilities, Provider } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const provider = (kind: string, capabilities: Partial<Capabilities>): Provider => ({
  kind,
  capabilities: {
    spiVersion: 1,
    traffic: "percent",
    capacity: true,
    fencing: "guarded",
    outputs: ["url"],
    ...capabilities
  },
  properties: Schema.Struct({
    command: Schema.Array(Schema.String),
    port: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 }))),
    env: Schema.optionalKey(
      Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Struct({ $secret: Schema.String })]))
    )
  }),
  plan: () => Effect.die("unused"),
  stage: () => Effect.die("unused"),
  observe: () => Effect.die("unused"),
  rollback: () => Effect.die("unused"),
  destroy: () => Effect.die("unused")
})

export const providers = new Map([
  ["local", provider("local", {})],
  ["site", provider("site", { traffic: "switch", capacity: false })],
  ["template", provider("template", { traffic: "none", capacity: false, outputs: ["*"] })]
])

export const stack = (name: string, more: object = {}) => ({
  name,
  provider: "local",
  properties: { command: ["node", "main.js"] },
  ...more
})

export const config = (more: object = {}) => ({
  organization: "acme",
  project: "shop",
  environments: { staging: {}, production: { region: "eu-west-1" } },
  stacks: [stack("database"), stack("web", { dependsOn: ["database"] })],
  ...more
})

export const issuesOf = (value: unknown) => {
  const result = Configuration.check(value, providers)
  return Result.isFailure(result) ? result.failure.issues : []
}
export const paths = (value: unknown) => issuesOf(value).map(({ path }) => path)
export const good = (value: unknown) => Result.getOrThrow(Configuration.check(value, providers))
