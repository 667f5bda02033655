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

/** The domain's `Actor`, written out: its module would load every event's schema for `--help`. A test compares them. */
export const Actor = Line.check(Schema.isMaxLength(256))

/** A whole number within bounds. */
export const count = (name: string, minimum: number, maximum: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(whole(minimum, maximum)),
    Flag.withMetavar("n"),
    Flag.withDescription(description)
  )

/** A switch that is off unless given. */
export const option = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDefault(false), Flag.withDescription(description))

const units: ReadonlyArray<readonly [word: RegExp, millis: number]> = [
  [/^(ms|millis|milliseconds?)$/, 1],
  [/^(s|sec|seconds?)$/, 1_000],
  [/^(m|min|minutes?)$/, 60_000],
  [/^(h|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000]
]

/** Milliseconds of `30s`, `10m`, `1.5h` or `10 minutes`. */
export const millisOf = (text: string): Option.Option<number> => {
  const [, amount = "", word = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(text.trim().toLowerCase()) ?? []
  const unit = units.find(([one]) => one.test(word))
  return unit === undefined ? Option.none() : Option.some(Math.round(Number(amount) * unit[1]))
}

/** A span of time within bounds, in milliseconds. */
export const span = (name: string, minimum: number, maximum: number, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(
      (text) => Option.filter(millisOf(text), (millis) => millis >= minimum && millis <= maximum),
      (text) => `Expected a span of time such as 30s, 10m or 2h, got "${text}"`
    ),
    Flag.withMetavar("span"),
    Flag.withDescription(description)
  )

/** A text that may be left out. */
export const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withSchema(Line),
    Flag.optional,
    Flag.withMetavar(metavar),
    Flag.withDescription(description)
  )

/** The deployment; left out, it is the one of this folder. */
export const deployment = Argument.String("id").pipe(
  Argument.withSchema(DeploymentId),
  Argument.optional,
  Argument.withDescription("Deployment, such as DX6604E; else that of .deployment-metadata.yaml here")
)

/** The deployment where another argument follows, which makes leaving it out ambiguous. */
export const requiredDeployment = Argument.String("id").pipe(
  Argument.withSchema(DeploymentId),
  Argument.withDescription("Deployment, such as DX6604E")
)

export const stackArgument = Argument.String("stack").pipe(
  Argument.withSchema(StackName),
  Argument.withDescription("Stack of the deployment")
)

/** An execution, or the deployment whose execution under way is meant. */
export const execution = Argument.String("id").pipe(
  Argument.withSchema(CorrelationId),
  Argument.optional,
  Argument.withDescription(
    "Correlation id, or a deployment whose execution under way is meant; else that of this folder"
  )
)

/** A deployment, or one of its executions. */
export const deploymentOrExecution = Argument.String("id").pipe(
  Argument.withSchema(CorrelationId),
  Argument.optional,
  Argument.withDescription("Deployment, or correlation id of an execution; else the deployment of this folder")
)

export const stack = Flag.String("stack").pipe(
  Flag.withSchema(StackName),
  Flag.optional,
  Flag.withMetavar("name"),
  Flag.withDescription("Only this stack")
)

export const by = Flag.String("by").pipe(
  Flag.withSchema(Actor),
  Flag.optional,
  Flag.withMetavar("who"),
  Flag.withDescription("Who asks (SIGNALBOX_ACTOR); else the user of this machine")
)

export const reason = text("reason", "text", "Why; kept with the execution")

export const correlationId = Flag.String("correlation-id").pipe(
  Flag.withSchema(CorrelationId),
  Flag.optional,
  Flag.withMetavar("id"),
  Flag.withDescription("Id of the execution: a second start with the same one joins it; else drawn")
)
