/**
 * Arguments and flags that several commands share.
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CorrelationId, DeploymentId, Line, StackName } from "@signalbox/core/spi"

const whole = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }, { expected: `a whole number from ${minimum} to ${maximum}` }))

/**
 * The domain's `Actor`, written out: importing it would load every event's schema for `--help`. A test compares them.
 */
export const Actor = Line.check(Schema.isMaxLength(256))

/** A whole number within bounds. */
export const count = (name: string, minimum: number, maximum: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(whole(minimum, maximum)),
    Flag.withMetavar("n"),
    Flag.withDescription(description)
  )

/** A switch that is off by default. */
export const option = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDefault(false), Flag.withDescription(description))

const units: ReadonlyArray<readonly [word: RegExp, millis: number]> = [
  [/^(ms|millis|milliseconds?)$/, 1],
  [/^(s|sec|seconds?)$/, 1_000],
  [/^(m|min|minutes?)$/, 60_000],
  [/^(h|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000]
]

/** Parses `30s`, `10m`, `1.5h` or `10 minutes` to milliseconds. */
export const millisOf = (text: string): Option.Option<number> => {
  const [, amount = "", word = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(text.trim().toLowerCase()) ?? []
  const unit = units.find(([one]) => one.test(word))
  return unit === undefined ? Option.none() : Option.some(Math.round(Number(amount) * unit[1]))
}

/** A duration within bounds, in milliseconds. */
export const span = (name: string, minimum: number, maximum: number, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(
      (text) => Option.filter(millisOf(text), (millis) => millis >= minimum && millis <= maximum),
      (text) => `Expected a span of time such as 30s, 10m or 2h, got "${text}"`
    ),
    Flag.withMetavar("span"),
    Flag.withDescription(description)
  )

/** An optional text. */
export const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withSchema(Line),
    Flag.optional,
    Flag.withMetavar(metavar),
    Flag.withDescription(description)
  )

/** The deployment; by default the one of this folder. */
export const deployment = Argument.String("id").pipe(
  Argument.withSchema(DeploymentId),
  Argument.optional,
  Argument.withDescription("Deployment, such as DX6604E; by default from .deployment-metadata.yaml")
)

/** The deployment, required because another argument follows. */
export const requiredDeployment = Argument.String("id").pipe(
  Argument.withSchema(DeploymentId),
  Argument.withDescription("Deployment, such as DX6604E")
)

export const stackArgument = Argument.String("stack").pipe(
  Argument.withSchema(StackName),
  Argument.withDescription("Stack of the deployment")
)

/** An execution, or the execution in progress of a deployment. */
export const execution = Argument.String("id").pipe(
  Argument.withSchema(CorrelationId),
  Argument.optional,
  Argument.withDescription(
    "Correlation ID, or a deployment whose execution in progress is meant; by default this folder's"
  )
)

/** A deployment, or one of its executions. */
export const deploymentOrExecution = Argument.String("id").pipe(
  Argument.withSchema(CorrelationId),
  Argument.optional,
  Argument.withDescription("Deployment, or correlation ID of an execution; by default the deployment of this folder")
)

export const stack = Flag.String("stack").pipe(
  Flag.withSchema(StackName),
  Flag.optional,
  Flag.withMetavar("name"),
  Flag.withDescription("Limit to this stack")
)

export const by = Flag.String("by").pipe(
  Flag.withSchema(Actor),
  Flag.optional,
  Flag.withMetavar("who"),
  Flag.withDescription("Who makes the request (SIGNALBOX_ACTOR); by default the user of this machine")
)

export const reason = text("reason", "text", "Reason; recorded with the execution")

export const correlationId = Flag.String("correlation-id").pipe(
  Flag.withSchema(CorrelationId),
  Flag.optional,
  Flag.withMetavar("id"),
  Flag.withDescription("ID of the execution: a second start with the same ID joins it; by default drawn")
)
