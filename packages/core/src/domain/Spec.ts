/**
 * What is asked for: the stacks of a deployment, how each is brought in and how it is judged. An execution keeps the
 * specification that it started with, so that it resumes unchanged when the configuration file has moved on.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { FreezeSpec } from "./freeze/FreezeSpec.ts"
import { DeploymentId, EnvironmentName, Percent, StackName } from "./Ids.ts"
import { isLine } from "./Line.ts"
import { Json } from "./Release.ts"
import { day, Span, spanBetween } from "./Span.ts"

const optional = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefault<S>(Effect.succeed(value))(schema)

export { Span }

const LeaseTtl = spanBetween(1_000, 30 * day, "a span of time from 1 second to 30 days")
const Retention = spanBetween(day, 3_650 * day, "a span of time from 1 to 3650 days")
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const AtLeastOne = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const Name = Schema.String.check(
  Schema.isPattern(/^\S(.{0,126}\S)?$/, { expected: "a name of 1 to 128 characters" }),
  isLine
)

const between = (minimum: number, maximum: number) => Schema.Finite.check(Schema.isBetween({ minimum, maximum }))

/**
 * How a candidate is compared with the stable release, as long as both have traffic.
 *
 * *Details*: errors are compared at every look by a test that may be looked at at any time: a candidate whose error rate
 * is at most `maxErrorRatio` times the stable one's (1–100, default 1) is failed with a probability of at most `alpha`
 * (0.0001–0.2, default 0.05) in all the steps of one rollout together. It fails only if the ratio found is at least
 * `minErrorEffect` too (1–100, default 1.25), so that much traffic does not make trifles matter. Response times are
 * compared once at the end of each step: they fail if the interval of the shift with `confidence` (0.5–0.9999, default
 * 0.98) lies above `tolerance` (0–100, default 0.25) times the stable release's median, and a request to the candidate
 * takes longer than one to the stable release with a probability of at least `minLatencyEffect` (0.5–1, default 0.56).
 * Each release needs `minSamples` requests (default 50).
 *
 * *Source*: 0.98 and 0.25 are Kayenta's; 0.56 is a small effect according to A. Vargha and H. D. Delaney, Journal of
 * Educational and Behavioral Statistics 25, 2000.
 */
export const CompareSpec = Schema.Struct({
  alpha: optional(between(0.0001, 0.2), 0.05),
  maxErrorRatio: optional(between(1, 100), 1),
  minErrorEffect: optional(between(1, 100), 1.25),
  confidence: optional(between(0.5, 0.9999), 0.98),
  tolerance: optional(between(0, 100), 0.25),
  minLatencyEffect: optional(between(0.5, 1), 0.56),
  minSamples: optional(AtLeastOne, 50)
})
export type CompareSpec = typeof CompareSpec.Type

/**
 * What a release must show before it gets more traffic.
 *
 * *Details*: at least `minHealthyPercentage` of its instances healthy (default 80); at most `maxErrorCount` errors within
 * `errorWindow` (10 in 5 minutes); response time, `mean` or `p95`, at most `maxResponseTime` (p95, 2 seconds). Health and
 * response time are not held against it before `gracePeriod` is over (5 minutes); errors always are. It passes after
 * `consecutivePasses` measurements in a row (3), `interval` apart (10 seconds), each over at least `minSamples` requests
 * (20). `compare` compares it with the stable release as well; left out, it does not.
 */
export const GateSpec = Schema.Struct({
  minHealthyPercentage: optional(Percent, 80),
  maxErrorCount: optional(Count, 10),
  errorWindow: optional(Span, "5 minutes"),
  maxResponseTime: optional(Span, "2 seconds"),
  responseTime: optional(Schema.Literals(["mean", "p95"]), "p95"),
  gracePeriod: optional(Span, "5 minutes"),
  interval: optional(Span, "10 seconds"),
  consecutivePasses: optional(AtLeastOne, 3),
  minSamples: optional(Count, 20),
  compare: Schema.optionalKey(CompareSpec)
})
export type GateSpec = typeof GateSpec.Type

/**
 * A question to a person, with the answer that is assumed when none came within `expiresIn` (default 1 hour, `abort`).
 */
export const ApprovalSpec = Schema.Struct({
  expiresIn: optional(Span, "1 hour"),
  otherwise: optional(Schema.Literals(["abort", "continue"]), "abort")
})
export type ApprovalSpec = typeof ApprovalSpec.Type

/**
 * One step of a canary: give the candidate `weight` percent of the traffic (1–100), watch it for at least `bake`
 * (default 5 minutes), then ask a person where `approval` is given.
 */
export const CanaryStep = Schema.Struct({
  weight: Percent.check(Schema.isGreaterThan(0)),
  bake: optional(Span, "5 minutes"),
  approval: Schema.optionalKey(ApprovalSpec)
})
export type CanaryStep = typeof CanaryStep.Type

const risesTo100 = Schema.makeFilter<ReadonlyArray<CanaryStep>>(
  (steps) => steps.every(({ weight }, index) => index === 0 || weight > steps[index - 1]!.weight),
  { expected: "canary steps whose weights rise" }
)

/**
 * How a candidate takes over from the stable release.
 *
 * *Details*: `all_at_once` all the traffic in one step · `rolling` capacity and traffic together in `batches` equal parts ·
 * `blue_green` full capacity beside the stable release, an optional approval, one switch, `bake` · `canary` rising weights;
 * a last step to 100 is added where it is not given.
 */
export const StrategySpec = Schema.Union([
  Schema.Struct({ type: Schema.Literal("all_at_once") }),
  Schema.Struct({
    type: Schema.Literal("rolling"),
    batches: optional(AtLeastOne, 4),
    bake: optional(Span, "0 millis")
  }),
  Schema.Struct({
    type: Schema.Literal("blue_green"),
    bake: optional(Span, "5 minutes"),
    approval: Schema.optionalKey(ApprovalSpec)
  }),
  Schema.Struct({
    type: Schema.Literal("canary"),
    steps: optional(Schema.NonEmptyArray(CanaryStep).check(risesTo100), [
      { weight: 10, bake: "5 minutes" },
      { weight: 50, bake: "5 minutes" },
      { weight: 100, bake: "5 minutes" }
    ])
  })
])
export type StrategySpec = typeof StrategySpec.Type
/** The names of the strategies. */
export const StrategyName = Schema.Literals(["all_at_once", "rolling", "blue_green", "canary"])
export type StrategyName = typeof StrategyName.Type

/**
 * One stack of the manifest.
 *
 * *Details*: it starts when every stack in `dependsOn` is done. `properties` belong to its provider; a value
 * `{ "$output": "stack.name" }` inside them is replaced by that output of a stack it depends on. `irreversible` gives the
 * reason why a finished deployment of it is never undone (a migration, say). `timeout` bounds each of its stages (default
 * 30 minutes).
 */
export const StackSpec = Schema.Struct({
  name: StackName,
  provider: Name,
  enabled: optional(Schema.Boolean, true),
  dependsOn: optional(Schema.Array(StackName), []),
  strategy: optional(StrategySpec, { type: "all_at_once" }),
  gate: optional(GateSpec, {}),
  irreversible: Schema.optionalKey(Name),
  timeout: optional(Span, "30 minutes"),
  properties: optional(Schema.Record(Schema.String, Json), {})
})
export type StackSpec = typeof StackSpec.Type

/**
 * What differs in one environment: where it is, and properties, strategy or gate of single stacks, merged over the
 * manifest's.
 */
export const EnvironmentSpec = Schema.Struct({
  account: Schema.optionalKey(Name),
  region: Schema.optionalKey(Name),
  stacks: optional(
    Schema.Record(
      StackName,
      Schema.Struct({
        enabled: Schema.optionalKey(Schema.Boolean),
        strategy: Schema.optionalKey(StrategySpec),
        gate: Schema.optionalKey(GateSpec),
        properties: Schema.optionalKey(Schema.Record(Schema.String, Json))
      })
    ),
    {}
  )
})
export type EnvironmentSpec = typeof EnvironmentSpec.Type

/**
 * What is done with a request while another execution is in the way: it waits behind those that came before, it takes the
 * place of those that wait, or it is refused.
 */
export const QueuePolicy = Schema.Literals(["fifo", "latest_wins", "reject"])
export type QueuePolicy = typeof QueuePolicy.Type

/**
 * A deployment that has to be there, and not be worked on, before anything of this one starts; in the environment of the
 * same name, where none is given.
 */
export const RequiredDeployment = Schema.Struct({
  deployment: DeploymentId,
  environment: Schema.optionalKey(EnvironmentName)
})
export type RequiredDeployment = typeof RequiredDeployment.Type

/**
 * The configuration of a deployment, as `signalbox.config.ts` gives it.
 *
 * *Details*: `parallelism` bounds how many stacks are worked on at once (default 4); `rollback` says whether failure goes
 * back by itself (default true); `retention` is how long finished executions are kept (90 days, at least 1); `leaseTtl` is
 * how long a holder that fell silent keeps the right to mutate (default 15 seconds, at least 1). `queue` says what is done
 * with a request while another execution is in the way; left out, the command decides. `requires` names deployments that
 * have to be there first, `freezes` the times in which nothing is deployed (default none).
 */
export const Manifest = Schema.Struct({
  organization: Name,
  project: Name,
  template: optional(Name, "default"),
  environments: Schema.Record(EnvironmentName, EnvironmentSpec),
  stacks: Schema.NonEmptyArray(StackSpec),
  parallelism: optional(AtLeastOne, 4),
  rollback: optional(Schema.Boolean, true),
  retention: optional(Retention, "90 days"),
  leaseTtl: optional(LeaseTtl, "15 seconds"),
  queue: Schema.optionalKey(QueuePolicy),
  requires: optional(Schema.Array(RequiredDeployment), []),
  freezes: optional(Schema.Array(FreezeSpec), [])
})
export type Manifest = typeof Manifest.Type

/**
 * What an execution works from besides its stacks.
 */
export const ExecutionSettings = Schema.Struct({
  parallelism: AtLeastOne,
  rollback: Schema.Boolean,
  leaseTtl: Span,
  region: Schema.optionalKey(Name),
  account: Schema.optionalKey(Name),
  queue: Schema.optionalKey(QueuePolicy),
  freezes: Schema.optionalKey(Schema.Array(FreezeSpec)),
  requires: Schema.optionalKey(Schema.Array(RequiredDeployment))
})
export type ExecutionSettings = typeof ExecutionSettings.Type

/**
 * What one execution works from: the manifest resolved for its environment and command. `freezes`, `requires` and `queue`
 * are those of the manifest: whoever waits for its turn heeds them too.
 */
export const ExecutionSpec = Schema.Struct({ stacks: Schema.Array(StackSpec), ...ExecutionSettings.fields })
export type ExecutionSpec = typeof ExecutionSpec.Type
