/**
 * Times as the clocks of a time zone show them, and the moments that they stand for. A local time is held in milliseconds
 * as though its zone were UTC.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { day } from "../Span.ts"

/** The zone of an IANA name; an offset such as `+02:00` is none, it would miss the change of clocks. */
export const zoneOf = (name: string): DateTime.TimeZone.Named | undefined =>
  /^[A-Za-z]/.test(name) ? Option.getOrUndefined(DateTime.zoneMakeNamed(name)) : undefined

const written = /^[2-9]\d{3}-\d\d-\d\d(T\d\d:\d\d)?$/

/** Reads `2026-12-24` (midnight) or `2026-12-24T18:00`, from the year 2000 on; a date that no calendar has is refused. */
export const parseLocal = (text: string): number | undefined => {
  if (!written.test(text)) return undefined
  const at = Option.getOrUndefined(DateTime.make(`${text}Z`))
  return at !== undefined && DateTime.formatIso(at).startsWith(text) ? DateTime.toEpochMillis(at) : undefined
}

/** What the clocks of a zone are ahead of UTC at a moment, in milliseconds. */
export const offsetAt = (zone: DateTime.TimeZone, moment: number): number =>
  DateTime.zonedOffset(DateTime.makeZonedUnsafe(moment, { timeZone: zone }))

/** The first moment after `from`, up to `to`, at which the offset is no longer that of `from`: clocks are changed once. */
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
 * The moment of a local time: of a time that the clocks show twice the first or the last, of one that they skip the moment
 * of the change.
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
