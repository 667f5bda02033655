/**
 * Which freezes are active at a moment, until when, and which one is next.
 */
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type FreezeSpec, windowOf } from "./FreezeSpec.ts"
import { type EnvironmentName, Timestamp } from "../Ids.ts"
import { zoneOf } from "./LocalTime.ts"
import * as Recurrence from "./Recurrence.ts"
import { day } from "../Span.ts"

/**
 * A freeze with its window: from `since` up to, but not including, `until`.
 *
 * *Details*: overlapping or adjacent windows of a freeze count as one.
 */
export const ActiveFreeze = Schema.Struct({
  name: Schema.String,
  reason: Schema.optionalKey(Schema.String),
  since: Timestamp,
  until: Timestamp
})
export type ActiveFreeze = typeof ActiveFreeze.Type

interface Window {
  readonly since: number
  readonly until: number
}

/** How far an unbroken chain of windows is followed: the configuration check allows none longer than two years. */
const furthest = 800 * day

/** Ascending windows of a recurring freeze that begin from `from` to before `to`; adjacent ones are merged. */
function* chains(
  recurrence: Recurrence.Recurrence,
  zone: DateTime.TimeZone,
  duration: number,
  from: number,
  to: number
): Generator<Window> {
  let open: Window | undefined
  for (let at = from; at < to || (open !== undefined && at < to + furthest); at += day) {
    if (open !== undefined && open.until < at) {
      yield open
      open = undefined
    }
    for (const start of Recurrence.startsBetween(recurrence, zone, at, at + day)) {
      if (open !== undefined && start > open.until) {
        yield open
        open = undefined
      }
      open = { since: open?.since ?? start, until: start + duration }
    }
  }
  if (open !== undefined) yield open
}

const firstOf = (windows: Iterable<Window>, is: (window: Window) => boolean): Window | undefined => {
  for (const window of windows) if (is(window)) return window
  return undefined
}

interface Recurring {
  readonly recurrence: Recurrence.Recurrence
  readonly zone: DateTime.TimeZone
  readonly duration: number
}

const recurring = (freeze: Extract<FreezeSpec, { readonly cron: string }>): Recurring | undefined => {
  const [recurrence, zone] = [Recurrence.parse(freeze.cron), zoneOf(freeze.timezone)]
  return Result.isFailure(recurrence) || zone === undefined
    ? undefined
    : { recurrence: recurrence.success, zone, duration: Duration.toMillis(freeze.duration) }
}

const current = (freeze: FreezeSpec, now: Timestamp): Window | undefined => {
  if (!("cron" in freeze)) {
    const window = windowOf(freeze)
    return window !== undefined && window.since <= now && now < window.until ? window : undefined
  }
  const rule = recurring(freeze)
  if (rule === undefined) return undefined
  const { duration, recurrence, zone } = rule
  for (let back = duration; ; back *= 2) {
    const from = now - back
    const window = firstOf(chains(recurrence, zone, duration, from, now + 1), ({ until }) => until > now)
    if (window === undefined || window.since > now) return undefined
    // Anything that begins earlier cannot reach a chain that has such a long gap before it.
    if (window.since - from > duration || back > furthest) return window
  }
}

const following = (freeze: FreezeSpec, now: Timestamp, last: Timestamp): Window | undefined => {
  if (!("cron" in freeze)) {
    const window = windowOf(freeze)
    return window !== undefined && window.since > now && window.since <= last ? window : undefined
  }
  const rule = recurring(freeze)
  if (rule === undefined) return undefined
  // This includes active windows, so that a mere prolongation does not count as the next one.
  const { duration, recurrence, zone } = rule
  const window = firstOf(chains(recurrence, zone, duration, now - duration, last + 1), ({ since }) => since > now)
  return window !== undefined && window.since <= last ? window : undefined
}

const concerns = ({ environments }: FreezeSpec, environment: EnvironmentName): boolean =>
  environments === undefined || environments.includes(environment)

const named = ({ name, reason }: FreezeSpec, { since, until }: Window): ActiveFreeze => ({
  name,
  ...(reason === undefined ? {} : { reason }),
  since: Math.max(0, since),
  until
})

/**
 * The freezes that are active in an environment at a moment, in the order of the configuration.
 */
export const activeAt = (
  freezes: ReadonlyArray<FreezeSpec>,
  environment: EnvironmentName,
  now: Timestamp
): ReadonlyArray<ActiveFreeze> =>
  freezes.flatMap((freeze) => {
    const window = concerns(freeze, environment) ? current(freeze, now) : undefined
    return window === undefined ? [] : [named(freeze, window)]
  })

/** How many consecutive freezes are followed; more would take too long to compute. */
const longestRow = 1_000

/**
 * The moment at which no freeze is active any more, even if one begins before another ends; `now` if none is active.
 */
export const clearsAt = (
  freezes: ReadonlyArray<FreezeSpec>,
  environment: EnvironmentName,
  now: Timestamp
): Timestamp => {
  let clear = now
  for (let row = 0; row < longestRow && clear - now < furthest; row++) {
    const active = activeAt(freezes, environment, clear)
    if (active.length === 0) break
    clear = Math.max(...active.map(({ until }) => until))
  }
  return clear
}

/**
 * The next freeze of an environment after a moment, if one begins `within` that time (default 10 years).
 *
 * *Details*: a mere prolongation of an active freeze is not a next one.
 */
export const next = (
  freezes: ReadonlyArray<FreezeSpec>,
  environment: EnvironmentName,
  now: Timestamp,
  within: Duration.Input = Duration.days(3_653)
): ActiveFreeze | undefined => {
  const last = now + Duration.toMillis(within)
  let first: ActiveFreeze | undefined
  for (const freeze of freezes.filter((one) => concerns(one, environment))) {
    const window = following(freeze, now, first === undefined ? last : Math.min(last, first.since - 1))
    if (window !== undefined) first = named(freeze, window)
  }
  return first
}
