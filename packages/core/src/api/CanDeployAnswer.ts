/**
 * The facade's answer whether something may be deployed, and its blockers.
 */
import * as Schema from "effect/Schema"
import { ErrorInfo } from "../domain/errors/index.ts"
import { ActiveFreeze } from "../domain/freeze/Freeze.ts"
import { Timestamp } from "../domain/Ids.ts"

/** The kinds of blockers. */
export const BlockerKind = Schema.Literals([
  "lease",
  "queue",
  "lock",
  "freeze",
  "veto",
  "dependency",
  "stale_order",
  "provider",
  "drift"
]).annotate({ identifier: "BlockerKind" })
export type BlockerKind = typeof BlockerKind.Type

/**
 * The expected clearance.
 *
 * *Details*: `basis` says how reliable it is. `known`: it ends at that time. `history`: between `low` and `high` in 80
 * of 100 cases, by `n` earlier ones. `few`: not enough history to say how often that holds.
 */
export const ExpectedClearance = Schema.Struct({
  low: Timestamp,
  point: Timestamp,
  high: Timestamp,
  basis: Schema.Literals(["known", "history", "few"]),
  n: Schema.NullOr(Schema.Int)
}).annotate({ identifier: "ExpectedClearance" })
export type ExpectedClearance = typeof ExpectedClearance.Type

/**
 * One blocker.
 *
 * *Details*: `info` says what it is, as data, and its remedies how to go ahead all the same. `clearsAt` is when it is
 * expected to be over, null where that is unknown. `consoleUrl` is where to look: at the provider, or the run of a
 * workflow.
 */
export const Blocker = Schema.Struct({
  kind: BlockerKind,
  info: ErrorInfo,
  who: Schema.NullOr(Schema.String),
  since: Schema.NullOr(Timestamp),
  clearsAt: Schema.NullOr(ExpectedClearance),
  consoleUrl: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Blocker" })
export type Blocker = typeof Blocker.Type

/**
 * Whether something may be deployed now, and everything that blocks it.
 *
 * *Details*: `degraded` is the reason why only the providers could be asked, null if the store answered. `queue` is the
 * number of waiting requests. `nextFreeze` is the freeze that begins within a day, if any.
 */
export const CanDeployAnswer = Schema.Struct({
  canDeploy: Schema.Boolean,
  degraded: Schema.NullOr(Schema.String),
  blockers: Schema.Array(Blocker),
  queue: Schema.Int,
  nextFreeze: Schema.NullOr(ActiveFreeze),
  checkedAt: Timestamp
}).annotate({ identifier: "CanDeployAnswer" })
export type CanDeployAnswer = typeof CanDeployAnswer.Type
