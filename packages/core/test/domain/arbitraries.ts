import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import {
  CanaryStep,
  CorrelationId,
  DeploymentId,
  EnvironmentName,
  EnvironmentSpec,
  type Event,
  type ExecutionKind,
  ExecutionSpec,
  FreezeSpec,
  type Machine,
  Manifest,
  StackName,
  StackSpec,
  StrategySpec
} from "../../src/domain/index.ts"

const thirtyDays = 30 * 24 * 60 * 60 * 1000
/** Spans of all sizes, from `atLeast` milliseconds to the 30 days that are allowed. */
export const span = (atLeast = 0): Arbitrary.Arbitrary<Duration.Duration> =>
  Arbitrary.map(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: atLeast, maximum: thirtyDays }))),
    Duration.millis
  )

const risingSteps = Arbitrary.map(
  Arbitrary.all([Arbitrary.schema(CanaryStep), Arbitrary.array(Arbitrary.schema(CanaryStep), { maxLength: 4 })]),
  ([first, others]): readonly [CanaryStep, ...Array<CanaryStep>] => {
    const steps = [first, ...others].toSorted((left, right) => left.weight - right.weight)
    const [lightest = first, ...heavier] = steps.filter(({ weight }, index) => weight !== steps[index - 1]?.weight)
    return [lightest, ...heavier]
  }
)

/** Strategies of all four kinds; the weights of a canary rise, as they must. */
export const strategySpec: Arbitrary.Arbitrary<StrategySpec> = Arbitrary.flatMap(
  Arbitrary.schema(Schema.Literals(["all_at_once", "rolling", "blue_green", "canary"])),
  (type): Arbitrary.Arbitrary<StrategySpec> => {
    const [, rolling, blueGreen] = StrategySpec.members
    switch (type) {
      case "all_at_once":
        return Arbitrary.Constant({ type })
      case "rolling":
        return Arbitrary.schema(rolling)
      case "blue_green":
        return Arbitrary.schema(blueGreen)
      case "canary":
        return Arbitrary.map(risingSteps, (steps) => ({ type, steps }))
    }
  }
)

const stackWithoutStrategy = Schema.Struct(Struct.omit(StackSpec.fields, ["strategy"]))

export const stackSpec: Arbitrary.Arbitrary<StackSpec> = Arbitrary.map(
  Arbitrary.all([Arbitrary.schema(stackWithoutStrategy), strategySpec]),
  ([stack, strategy]) => ({ ...stack, strategy })
)

const environmentSpec: Arbitrary.Arbitrary<EnvironmentSpec> = Arbitrary.map(
  Arbitrary.all([
    Arbitrary.schema(Schema.Struct(Struct.omit(EnvironmentSpec.fields, ["stacks"]))),
    Arbitrary.array(Arbitrary.all([Arbitrary.schema(StackName), strategySpec]), { maxLength: 3 })
  ]),
  ([environment, stacks]) => ({
    ...environment,
    stacks: Object.fromEntries(stacks.map(([name, strategy]) => [name, { strategy }]))
  })
)

const [recurringFreeze, calendarFreeze] = FreezeSpec.members
const timezone = Arbitrary.schema(Schema.Literals(["UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo"]))

/** Freezes of both kinds; what they say of zones, crons and dates is drawn from a few that can be read. */
export const freezeSpec: Arbitrary.Arbitrary<FreezeSpec> = Arbitrary.flatMap(
  Arbitrary.schema(Schema.Boolean),
  (recurs): Arbitrary.Arbitrary<FreezeSpec> =>
    recurs
      ? Arbitrary.map(
          Arbitrary.all([
            Arbitrary.schema(
              Schema.Struct(Struct.omit(recurringFreeze.fields, ["cron", "duration", "timezone", "environments"]))
            ),
            Arbitrary.schema(Schema.Literals(["0 18 * * 5", "30 2 1-7 * *", "0 */6 * 12 sat,sun"])),
            Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 60_000, maximum: 5 * 60 * 60_000 }))),
            timezone
          ]),
          ([freeze, cron, duration, timezone]) => ({ ...freeze, cron, duration: Duration.millis(duration), timezone })
        )
      : Arbitrary.map(
          Arbitrary.all([
            Arbitrary.schema(
              Schema.Struct(Struct.omit(calendarFreeze.fields, ["from", "until", "timezone", "environments"]))
            ),
            Arbitrary.schema(Schema.Literals(["2026-12-24", "2026-12-24T18:00"])),
            Arbitrary.schema(Schema.Literals(["2026-12-26", "2027-01-02T06:30"])),
            Arbitrary.schema(EnvironmentName),
            timezone
          ]),
          ([freeze, from, until, environment, timezone]) => ({
            ...freeze,
            from,
            until,
            timezone,
            environments: [environment]
          })
        )
)

export const manifest: Arbitrary.Arbitrary<Manifest> = Arbitrary.map(
  Arbitrary.all([
    Arbitrary.schema(Schema.Struct(Struct.omit(Manifest.fields, ["stacks", "environments", "leaseTtl", "freezes"]))),
    Arbitrary.array(freezeSpec, { maxLength: 3 }),
    span(1000),
    Arbitrary.array(Arbitrary.all([Arbitrary.schema(EnvironmentName), environmentSpec]), { maxLength: 3 }),
    stackSpec,
    Arbitrary.array(stackSpec, { maxLength: 3 })
  ]),
  ([rest, freezes, leaseTtl, environments, first, others]) => ({
    ...rest,
    freezes,
    leaseTtl,
    environments: Object.fromEntries(environments),
    stacks: [first, ...others]
  })
)

export const executionSpec: Arbitrary.Arbitrary<ExecutionSpec> = Arbitrary.map(
  Arbitrary.all([
    Arbitrary.schema(Schema.Struct(Struct.omit(ExecutionSpec.fields, ["stacks"]))),
    Arbitrary.array(stackSpec, { maxLength: 3 })
  ]),
  ([rest, stacks]) => ({ ...rest, stacks })
)

const decodeStack = Schema.decodeUnknownSync(StackSpec)

/** The stacks of every walk: `web` needs `api`, and `ghost` is never part of the execution. */
export const stacks = {
  api: StackName.make("api"),
  web: StackName.make("web"),
  ghost: StackName.make("ghost")
}
export const correlationId = CorrelationId.make("walk-1")

/** The request that every walk starts with. */
export const requested = (kind: ExecutionKind): Extract<Event, { readonly _tag: "ExecutionRequested" }> => ({
  _tag: "ExecutionRequested",
  correlationId,
  kind,
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("production"),
  version: "2.0.0",
  by: "ada",
  deploymentBefore: "deployed",
  stacksBefore: [
    {
      name: stacks.api,
      status: "deployed",
      release: { id: "r1", version: "1.0.0", configDigest: "c1" },
      checkpoint: null,
      outputs: { url: "http://api" }
    }
  ],
  spec: {
    stacks: [
      decodeStack({ name: "api", provider: "memory" }),
      decodeStack({ name: "web", provider: "memory", dependsOn: ["api"] })
    ],
    parallelism: 4,
    rollback: true,
    leaseTtl: decodeStack({ name: "api", provider: "memory" }).timeout
  }
})

/** One step of a walk: numbers that choose an event, so that a failing walk shrinks to the few steps that matter. */
export const walk = Arbitrary.array(
  Arbitrary.all([
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))),
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 59 })))
  ]),
  { maxLength: 60 }
)

/**
 * The trigger that `choice` stands for: four times out of five one that the table allows from `from`, otherwise any.
 * Walks of arbitrary triggers would hardly leave the first states.
 */
export const trigger = <State extends string, Trigger extends string>(
  machine: Machine.Machine<State, Trigger>,
  from: State,
  choice: number
): Trigger => {
  const allowed = machine.triggers.filter((on) =>
    machine.transitions.some((row) => row.on === on && row.from.includes(from))
  )
  const pool = choice % 5 === 0 || allowed.length === 0 ? machine.triggers : allowed
  return pool[Math.floor(choice / 5) % pool.length]!
}
