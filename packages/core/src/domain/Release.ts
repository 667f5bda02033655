/**
 * What a stack runs, and what must be known to put it back.
 */
import * as Schema from "effect/Schema"
import { Percent, Timestamp } from "./Ids.ts"

/**
 * Any JSON value; what adapters keep for themselves.
 */
export const Json = Schema.Json
export type Json = typeof Json.Type

/**
 * An immutable thing that a stack can run.
 *
 * *Details*: `id` is unique within its stack and stable over repeats (a digest of the other fields), `digest` is that of
 * the artifact, `configDigest` that of the properties it runs with.
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
 * The rollback marker of a stack: the release that it had, or none where it did not exist, and what its provider needs
 * besides (recorded traffic, a template, a task definition).
 */
export const Checkpoint = Schema.Struct({
  release: Schema.NullOr(Release),
  takenAt: Timestamp,
  data: Json
})
export type Checkpoint = typeof Checkpoint.Type

/**
 * The share of traffic, in percent, that one release is observed to carry.
 */
export const TrafficShare = Schema.Struct({ releaseId: Schema.String, percent: Percent })
export type TrafficShare = typeof TrafficShare.Type

/**
 * What a stack tells the stacks that depend on it. Public values only: they are stored and shown. A secret travels as a
 * reference that the consuming provider resolves.
 */
export const Outputs = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))
export type Outputs = typeof Outputs.Type

/**
 * What bringing in a release would do to one stack.
 *
 * *Details*: `changes` and `rollback` are sentences for people: what will change, and what a rollback would do.
 */
export const StackPlan = Schema.Struct({
  action: Schema.Literals(["create", "update", "none"]),
  candidate: Release,
  checkpoint: Checkpoint,
  changes: Schema.Array(Schema.String),
  rollback: Schema.String,
  warnings: Schema.Array(Schema.String)
})
export type StackPlan = typeof StackPlan.Type
