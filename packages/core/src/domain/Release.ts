/**
 * What a stack runs, and the data for restoring it.
 */
import * as Schema from "effect/Schema"
import { CauseInfo } from "./errors/CauseInfo.ts"
import { Percent, Timestamp } from "./Ids.ts"

/**
 * Any JSON value; adapter-specific data.
 */
export const Json = Schema.Json
export type Json = typeof Json.Type

/**
 * An immutable thing that a stack can run.
 *
 * *Details*: `id` is unique within its stack and stable over repeats (a digest of the other fields), `digest` belongs
 * to the artifact, `configDigest` to the properties that it runs with.
 */
export const Release = Schema.Struct({
  id: Schema.String,
  version: Schema.String,
  artifact: Schema.optionalKey(Schema.String),
  digest: Schema.optionalKey(Schema.String),
  configDigest: Schema.String
})
export type Release = typeof Release.Type

/**
 * The checkpoint of a stack: its previous release, or none if it did not exist, and provider-specific data (recorded
 * traffic, a template, a task definition).
 */
export const Checkpoint = Schema.Struct({
  release: Schema.NullOr(Release),
  takenAt: Timestamp,
  data: Json
})
export type Checkpoint = typeof Checkpoint.Type

/**
 * The observed share of traffic of one release, in percent.
 */
export const TrafficShare = Schema.Struct({ releaseId: Schema.String, percent: Percent })
export type TrafficShare = typeof TrafficShare.Type

/**
 * The outputs of a stack for its dependents. Public values only: they are stored and shown. A secret travels as a
 * reference that the consuming provider resolves.
 */
export const Outputs = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))
export type Outputs = typeof Outputs.Type

/**
 * What happens to one resource of a stack. With `replacement`, it is (or may be) a new one afterwards.
 */
export const PlannedResource = Schema.Struct({
  resource: Schema.String,
  type: Schema.String,
  action: Schema.Literals(["create", "update", "delete", "replace", "import"]),
  replacement: Schema.Boolean
})
export type PlannedResource = typeof PlannedResource.Type

/** Where a provider would make its changes, and as whom: found out, not taken from the configuration. */
export const PlanTarget = Schema.Struct({
  account: Schema.optionalKey(Schema.String),
  project: Schema.optionalKey(Schema.String),
  region: Schema.optionalKey(Schema.String),
  principal: Schema.optionalKey(Schema.String)
})
export type PlanTarget = typeof PlanTarget.Type

/**
 * The address of each release that has one of its own, by its id: a tag, a preview channel. It answers before the release
 * has traffic.
 */
export const Endpoints = Schema.Record(Schema.String, Schema.String)
export type Endpoints = typeof Endpoints.Type

/**
 * What bringing in a release would do to one stack.
 *
 * *Details*: `changes` and `rollback` are sentences for people: the changes, and the effect of a rollback.
 * `warnings` are the provider's, as sentences; `notices` are warnings as data. `resources` are the changes as data.
 * `data` is for the provider itself, which gets it back in `stage`. `timeoutMs` is how long a stage of the deployment
 * may take: it counts if it is longer than the timeout of the stack.
 */
export const StackPlan = Schema.Struct({
  action: Schema.Literals(["create", "update", "none"]),
  candidate: Release,
  checkpoint: Checkpoint,
  changes: Schema.Array(Schema.String),
  rollback: Schema.String,
  warnings: Schema.Array(Schema.String),
  notices: Schema.optionalKey(Schema.Array(CauseInfo)),
  resources: Schema.optionalKey(Schema.Array(PlannedResource)),
  target: Schema.optionalKey(PlanTarget),
  timeoutMs: Schema.optionalKey(Schema.Int),
  data: Schema.optionalKey(Json)
})
export type StackPlan = typeof StackPlan.Type
