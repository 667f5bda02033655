/**
 * Local times of a time zone, and the moments that they stand for. A local time is held in milliseconds as if its zone
 * were UTC.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { day } from "../Span.ts"

/** The zone of an IANA name. An offset such as `+02:00` is not accepted, because it would miss clock changes. */
export const zoneOf = (name: string): DateTime.TimeZone.Named | undefined =>
  /^[A-Za-z]/.test(name) ? Option.getOrUndefined(DateTime.zoneMakeNamed(name)) : undefined

const written = /^[2-9]\d{3}-\d\d-\d\d(T\d\d:\d\d)?$/

/** Reads `2026-12-24` (midnight) or `2026-12-24T18:00`, from the year 2000 on; an impossible date is rejected. */
export const parseLocal = (text: string): number | undefined => {
  if (!written.test(text)) return undefined
  const at = Option.getOrUndefined(DateTime.make(`${text}Z`))
  return at !== undefined && DateTime.formatIso(at).startsWith(text) ? DateTime.toEpochMillis(at) : undefined
}

/** The offset of a zone from UTC at a moment, in milliseconds. */
export const offsetAt = (zone: DateTime.TimeZone, moment: number): number =>
  DateTime.zonedOffset(DateTime.makeZonedUnsafe(moment, { timeZone: zone }))

/**
 * The first moment after `from`, up to `to`, at which the offset differs from the one at `from`: clocks change once.
 */
export const changeBetween = (zone: DateTime.TimeZone, from: number, to: number): number => {
  const offset = offsetAt(zone, from)
  let [before, after] = [from, to]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offsetAt(zone, middle) === offset) before = middle
    else after = middle
  }
  return after
}

/**
 * The moment of a local time: the first or the last of a time that occurs twice, the moment of the change for a skipped
 * one.
 */
export const momentOf = (zone: DateTime.TimeZone, local: number, which: "first" | "last"): number => {
  const [from, to] = [local - day, local + day]
  const [early, late] = [offsetAt(zone, from), offsetAt(zone, to)]
  if (early === late) return local - early
  const change = changeBetween(zone, from, to)
  const [first, last] = [local - early, local - late]
  const [isFirst, isLast] = [first < change, last >= change]
  if (isFirst && isLast) return which === "first" ? first : last
  return isFirst ? first : isLast ? last : change
}
