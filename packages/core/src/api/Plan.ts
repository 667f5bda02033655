/**
 * The facade's answers about stacks: what a request would do to them, and how their providers see them.
 */
import * as Schema from "effect/Schema"
import { StackName } from "../domain/Ids.ts"
import { StackPlan } from "../domain/Release.ts"
import { RequestCount } from "../domain/Verdict.ts"
import { Observation } from "../spi/Provider.ts"
import { ProviderError } from "../spi/ProviderError.ts"

/**
 * One line of a plan. `plan` is null if it waits for outputs, named in `waitsFor`, that do not exist yet.
 *
 * *Details*: `artifact` is what the request brings in for this stack, `values` the texts of its properties with
 * variables, by path, as they would be recorded; `region` and `account` are where it would be.
 */
export const PlannedStack = Schema.Struct({
  name: StackName,
  provider: Schema.String,
  dependsOn: Schema.Array(StackName),
  plan: Schema.NullOr(StackPlan),
  waitsFor: Schema.Array(Schema.String),
  artifact: Schema.optionalKey(Schema.String),
  values: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  region: Schema.optionalKey(Schema.String),
  account: Schema.optionalKey(Schema.String),
  irreversible: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "PlannedStack" })
export type PlannedStack = typeof PlannedStack.Type

/** One stack as its provider sees it now. */
export const ObservedStack = Schema.Struct({
  name: StackName,
  provider: Schema.String,
  observation: Schema.Union([Observation, ProviderError])
}).annotate({ identifier: "ObservedStack" })
export type ObservedStack = typeof ObservedStack.Type

/**
 * One stack as its provider sees it now, with its gate's limits.
 *
 * *Details*: `expected` says whether a release should be deployed. `errors` counts the stable release's over
 * `windowMs`, null where the provider does not count them.
 */
export const StackHealth = Schema.Struct({
  ...ObservedStack.fields,
  expected: Schema.Boolean,
  errors: Schema.NullOr(RequestCount),
  windowMs: Schema.Finite,
  minHealthyPercentage: Schema.Finite,
  maxErrorCount: Schema.Finite
}).annotate({ identifier: "StackHealth" })
export type StackHealth = typeof StackHealth.Type
