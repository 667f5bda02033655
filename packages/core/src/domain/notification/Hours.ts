/**
 * The hours of a route, such as office hours.
 */
import * as Schema from "effect/Schema"
import { offsetAt, zoneOf } from "../freeze/LocalTime.ts"
import { day } from "../Span.ts"

const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const

/** A time of day, from `00:00` to `24:00`. */
export const TimeOfDay = Schema.String.check(
  Schema.isPattern(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { expected: "a time of day from 00:00 to 24:00" })
)
/** A day of the week. */
export const Weekday = Schema.Literals(weekdays)
/** A time zone by its IANA name, such as `Europe/Berlin`. */
export const HoursZone = Schema.String.check(
  Schema.makeFilter((name) => zoneOf(name) !== undefined, { expected: "the name of an IANA time zone" })
)

/**
 * Hours of some days, by the clocks of `timezone` (default `UTC`).
 *
 * *Details*: from `from` up to, but not including, `until`; if that is not later, the hours end on the next day. `days` are
 * those on which they begin (default all).
 */
export const Hours = Schema.Struct({
  from: TimeOfDay,
  until: TimeOfDay,
  days: Schema.optionalKey(Schema.Array(Weekday)),
  timezone: Schema.optionalKey(HoursZone)
})
export type Hours = typeof Hours.Type

const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/** Whether a moment, in ms, is within the hours. */
export const isWithin = ({ days, from, timezone = "UTC", until }: Hours, at: number): boolean => {
  const zone = zoneOf(timezone)
  const local = zone === undefined ? at : at + offsetAt(zone, at)
  const [first, last] = [minuteOf(from), minuteOf(until)]
  const minute = Math.floor((((local % day) + day) % day) / 60_000)
  const spansNight = last <= first
  const isLate = spansNight && minute < last
  if (!isLate && (minute < first || (!spansNight && minute >= last))) return false
  // The first day of the epoch was a Thursday.
  const weekday = weekdays[(((Math.floor(local / day) + 3 - (isLate ? 1 : 0)) % 7) + 7) % 7]!
  return days === undefined || days.includes(weekday)
}
