/**
 * The specification of a deployment: its stacks, how each is brought in and how it is judged. An execution keeps the
 * specification that it started with, so it resumes unchanged after the configuration file has changed.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { FreezeSpec } from "./freeze/FreezeSpec.ts"
import { DeploymentId, EnvironmentName, Percent, StackName } from "./Ids.ts"
import { isLine } from "./Line.ts"
import { NotificationsSpec } from "./notification/Routes.ts"
import { Json } from "./Release.ts"
import { holdsPassword } from "./secrets/Secret.ts"
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
 * *Details*: errors are compared at every look by a test that allows looks at any time: a candidate whose error rate is
 * at most `maxErrorRatio` times the stable one's (1–100, default 1) fails with a probability of at most `alpha`
 * (0.0001–0.2, default 0.05) in all steps of one rollout together. It fails only if the observed ratio is also at least
 * `minErrorEffect` (1–100, default 1.25), so that trifles do not matter under much traffic. Response times are compared
 * once at the end of each step: they fail if the interval of the shift with `confidence` (0.5–0.9999, default 0.98)
 * lies above `tolerance` (0–100, default 0.25) times the stable release's median, and a request to the candidate takes
 * longer than one to the stable release with a probability of at least `minLatencyEffect` (0.5–1, default 0.56). Each
 * release needs `minSamples` requests (default 50).
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
 * The checks that a release must pass before it gets more traffic.
 *
 * *Details*: at least `minHealthyPercentage` of its instances healthy (default 80); at most `maxErrorCount` errors
 * within `errorWindow` (10 in 5 minutes); response time, `mean` or `p95`, at most `maxResponseTime` (p95, 2 seconds).
 * Health and response time do not fail it before `gracePeriod` is over (5 minutes); errors always do. It passes after
 * `consecutivePasses` measurements in a row (3), `interval` apart (10 seconds), each over at least `minSamples`
 * requests (20). `compare` also compares it with the stable release. `alarms` names alarms of
 * the provider: one that rings fails the release at once.
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
  compare: Schema.optionalKey(CompareSpec),
  alarms: Schema.optionalKey(Schema.Array(Name))
})
export type GateSpec = typeof GateSpec.Type

/**
 * A question to a person, with the answer that is assumed after `expiresIn` (default 1 hour, `abort`).
 */
export const ApprovalSpec = Schema.Struct({
  expiresIn: optional(Span, "1 hour"),
  otherwise: optional(Schema.Literals(["abort", "continue"]), "abort")
})
export type ApprovalSpec = typeof ApprovalSpec.Type

/**
 * One step of a canary: give the candidate `weight` percent of the traffic (1–100), watch it for at least `bake`
 * (default 5 minutes), then ask a person if `approval` is given.
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
 * *Details*: `all_at_once` all traffic in one step · `rolling` capacity and traffic together in `batches` equal parts ·
 * `blue_green` full capacity beside the stable release, an optional approval, one switch, `bake` · `canary` rising
 * weights; a missing last step to 100 is added.
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

const Text = Schema.String.check(
  Schema.isPattern(/^\S(.{0,2046}\S)?$/s, { expected: "a text of 1 to 2048 characters" })
)

/**
 * The metric source of a stack, if its gate should not read the provider's own.
 *
 * *Details*: `source` names an installed one, such as `prometheus`, and `url` says where it is. `queries` are its
 * queries, by the measurement that each gives. `resolution` is the length of its periods (1 minute), `lag` how long after
 * its end a period may still change (30 seconds). `tokenFrom` names the environment variable with a token for it.
 */
export const MetricsSpec = Schema.Struct({
  source: Name,
  url: Text,
  queries: Schema.Record(Schema.String, Text),
  resolution: optional(spanBetween(1_000, day, "a span of time from 1 second to 1 day"), "1 minute"),
  lag: optional(Span, "30 seconds"),
  tokenFrom: Schema.optionalKey(Name)
})
export type MetricsSpec = typeof MetricsSpec.Type

/** Whether an operation in progress that Signalbox did not start is waited for, or fails the execution. */
export const OnBusy = Schema.Literals(["wait", "fail"])
export type OnBusy = typeof OnBusy.Type

/**
 * One stack of the manifest.
 *
 * *Details*: it starts when every stack in `dependsOn` is done and proved. `lockstep` names the ones that must never
 * run an older release than it expects: as long as this stack cannot be put back, they stay as they are. `properties`
 * belong to its provider; a value `{ "$output": "stack.name" }` inside them is replaced by that output of a dependency.
 * `irreversible` gives the reason why a finished deployment of it is never undone (a migration, for example). `timeout`
 * bounds each of its stages (default 30 minutes). `onBusy` says whether it waits, within that time, for an operation in
 * progress that Signalbox did not start, or fails (default). `region` and `account` are its own, instead of the
 * environment's.
 */
export const StackSpec = Schema.Struct({
  name: StackName,
  provider: Name,
  enabled: optional(Schema.Boolean, true),
  dependsOn: optional(Schema.Array(StackName), []),
  lockstep: Schema.optionalKey(Schema.Array(StackName)),
  strategy: optional(StrategySpec, { type: "all_at_once" }),
  gate: optional(GateSpec, {}),
  metrics: Schema.optionalKey(MetricsSpec),
  irreversible: Schema.optionalKey(Name),
  timeout: optional(Span, "30 minutes"),
  onBusy: Schema.optionalKey(OnBusy),
  region: Schema.optionalKey(Name),
  account: Schema.optionalKey(Name),
  properties: optional(Schema.Record(Schema.String, Json), {})
})
export type StackSpec = typeof StackSpec.Type

/**
 * Differences in one environment: account and region, and those, the properties, the strategy, the gate or the
 * metrics of single stacks, merged into the manifest's.
 */
export const EnvironmentSpec = Schema.Struct({
  account: Schema.optionalKey(Name),
  region: Schema.optionalKey(Name),
  stacks: optional(
    Schema.Record(
      StackName,
      Schema.Struct({
        enabled: Schema.optionalKey(Schema.Boolean),
        region: Schema.optionalKey(Name),
        account: Schema.optionalKey(Name),
        strategy: Schema.optionalKey(StrategySpec),
        gate: Schema.optionalKey(GateSpec),
        metrics: Schema.optionalKey(MetricsSpec),
        properties: Schema.optionalKey(Schema.Record(Schema.String, Json))
      })
    ),
    {}
  )
})
export type EnvironmentSpec = typeof EnvironmentSpec.Type

/**
 * What happens to a request while another execution is running: it waits its turn, it replaces the waiting ones, or it
 * is rejected.
 */
export const QueuePolicy = Schema.Literals(["fifo", "latest_wins", "reject"])
export type QueuePolicy = typeof QueuePolicy.Type

/**
 * A deployment that must be deployed, with no execution in progress, before this one starts; by default in the
 * environment of the same name.
 */
export const RequiredDeployment = Schema.Struct({
  deployment: DeploymentId,
  environment: Schema.optionalKey(EnvironmentName)
})
export type RequiredDeployment = typeof RequiredDeployment.Type

/**
 * A plug-in that the configuration uses: its package, and the options that it was given.
 */
export const PluginSpec = Schema.Struct({ plugin: Name, options: Schema.optionalKey(Json) })
export type PluginSpec = typeof PluginSpec.Type

/** The URL of a store, without a password: configurations are committed. */
const StoreUrl = Schema.String.check(
  Schema.makeFilter((url) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(url) && !holdsPassword(url), {
    expected: "the URL of a store, without a password"
  })
)

/**
 * The configuration of a deployment, as in `signalbox.config.ts`.
 *
 * *Details*: `parallelism` bounds how many stacks are deployed at once (default 4); `rollback` says whether a failure
 * rolls back automatically (default true); `retention` is how long finished executions are kept (90 days, at least 1);
 * `leaseTtl` is how long a silent holder keeps the lease (default 15 seconds, at least 1). `queue` is the policy for a
 * request while another execution is running; without it, the command decides. `requires` names deployments that must
 * exist first, `freezes` the times without deployments (default none). `plugins` bring the providers besides `local`.
 * `store` is where the state is kept (default: in the folder); `SIGNALBOX_DATABASE_URL` takes precedence.
 * `notifications` says what is reported where (default: nothing).
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
  freezes: optional(Schema.Array(FreezeSpec), []),
  plugins: Schema.optionalKey(Schema.Array(PluginSpec)),
  store: Schema.optionalKey(StoreUrl),
  notifications: Schema.optionalKey(NotificationsSpec)
})
export type Manifest = typeof Manifest.Type

/**
 * The settings of an execution besides its stacks.
 */
export const ExecutionSettings = Schema.Struct({
  parallelism: AtLeastOne,
  rollback: Schema.Boolean,
  leaseTtl: Span,
  region: Schema.optionalKey(Name),
  account: Schema.optionalKey(Name),
  queue: Schema.optionalKey(QueuePolicy),
  freezes: Schema.optionalKey(Schema.Array(FreezeSpec)),
  requires: Schema.optionalKey(Schema.Array(RequiredDeployment)),
  plugins: Schema.optionalKey(Schema.Array(PluginSpec))
})
export type ExecutionSettings = typeof ExecutionSettings.Type

/**
 * The input of one execution: the manifest resolved for its environment and command. `freezes`, `requires` and `queue`
 * come from the manifest, because a waiting request must respect them too; `plugins`, because its runner needs them.
 */
export const ExecutionSpec = Schema.Struct({ stacks: Schema.Array(StackSpec), ...ExecutionSettings.fields })
export type ExecutionSpec = typeof ExecutionSpec.Type
