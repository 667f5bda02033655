/**
 * The moments at which a cron fires, across clock changes. Effect's `Cron` parses the expression, but its answer near a
 * clock change is not always the nearest moment, so moments are computed here.
 */
import * as Cron from "effect/Cron"
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import { changeBetween, offsetAt } from "./LocalTime.ts"
import { day } from "../Span.ts"

const minute = 60_000
const hour = 60 * minute

/** When something recurs, in any time zone. */
export interface Recurrence {
  /** The minutes of the day, in milliseconds, ascending. */
  readonly times: ReadonlyArray<number>
  /** Whether a day matches, counted from 1970-01-01. */
  readonly isOn: (day: number) => boolean
}

/** The month (1–12) and its day (1–31) of a day counted from 1970-01-01. */
const monthAndDay = (index: number): readonly [month: number, day: number] => {
  // Years begin in March here, so that a leap day is the last of its year; 400 of them are an era.
  const ofEra = (((index + 719_468) % 146_097) + 146_097) % 146_097
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365
  )
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const march = Math.floor((5 * ofYear + 2) / 153)
  return [march < 10 ? march + 3 : march - 9, ofYear - Math.floor((153 * march + 2) / 5) + 1]
}

const allOf = (values: ReadonlySet<number>, count: number): ReadonlyArray<number> =>
  values.size === 0 ? Array.from({ length: count }, (_, index) => index) : [...values].sort((a, b) => a - b)

const names = ["minute", "hour", "day of the month", "month", "weekday"]
const any: ReadonlyArray<string> = names.map(() => "*")

/** Parses a cron of five fields, or says what is wrong with it. */
export const parse = (text: string): Result.Result<Recurrence, string> => {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== 5) {
    return Result.fail(`has ${fields.length} field${fields.length === 1 ? "" : "s"} in the place of five`)
  }
  return Result.map(
    Result.mapError(Cron.parse(fields.join(" ")), ({ message }) => {
      const wrong = names.findIndex((_, at) => Result.isFailure(Cron.parse(any.with(at, fields[at]!).join(" "))))
      return `cannot be read: ${message.replace(/^Expected/, "expected").replace(/^Invalid/, "invalid")} as the ${names[wrong] ?? "whole"}`
    }),
    ({ days, hours, minutes, months, weekdays }) => {
      // As always with cron, one of the two day fields is enough, unless one of them is any.
      const both = fields[2]!.startsWith("*") || fields[4]!.startsWith("*")
      return {
        times: allOf(hours, 24).flatMap((h) => allOf(minutes, 60).map((m) => h * hour + m * minute)),
        isOn: (index) => {
          const [month, date] = monthAndDay(index)
          if (months.size > 0 && !months.has(month)) return false
          const onDate = days.size === 0 || days.has(date)
          const onWeekday = weekdays.size === 0 || weekdays.has((((index + 4) % 7) + 7) % 7)
          return both ? onDate && onWeekday : onDate || onWeekday
        }
      }
    }
  )
}

/** Local times from `from` to before `to`. */
const localBetween = ({ isOn, times }: Recurrence, from: number, to: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let index = Math.floor(from / day); index * day < to; index++) {
    if (!isOn(index)) continue
    for (const time of times) {
      const local = index * day + time
      if (local >= from && local < to) found.push(local)
    }
  }
  return found
}

/** No zone is further from UTC, in whole days. */
const widest = 1

/**
 * The moments from `from` to before `to` (a day later at most) at which a recurrence fires in a zone, ascending: a
 * local time that occurs twice fires twice, and a skipped one fires at the clock change.
 */
export const startsBetween = (
  recurrence: Recurrence,
  zone: DateTime.TimeZone,
  from: number,
  to: number
): ReadonlyArray<number> => {
  const [first, last] = [Math.floor(from / day) - widest, Math.floor(to / day) + widest]
  // Offsets are slow to compute, and most days of most crons have no match.
  if (!Array.from({ length: last - first + 1 }, (_, at) => first + at).some(recurrence.isOn)) return []
  const [early, late] = [offsetAt(zone, from), offsetAt(zone, to)]
  const moments = (since: number, until: number, offset: number) =>
    localBetween(recurrence, since + offset, until + offset).map((local) => local - offset)
  if (early === late) return moments(from, to, early)
  const change = changeBetween(zone, from, to)
  const after = moments(change, to, late)
  const skips = after[0] !== change && localBetween(recurrence, change + early, change + late).length > 0
  return [...moments(from, change, early), ...(skips ? [change] : []), ...after]
}

const firstDay = 10_957 // 2000-01-01: any 40 years have every weekday on every date, including leap days.

/** Whether any day matches: the 30th of February never comes. */
export const everComes = ({ isOn }: Recurrence): boolean =>
  Array.from({ length: 40 * 366 }, (_, index) => firstDay + index).some(isOn)

/** Whether windows of this length leave no gap, without clock changes. */
export const leavesNoBreak = ({ isOn, times }: Recurrence, duration: number): boolean => {
  let end = firstDay * day
  for (let index = firstDay - 31; index < firstDay + 2 * 366; index++) {
    if (!isOn(index)) continue
    for (const time of times) {
      const start = index * day + time
      if (start > end) return false
      end = Math.max(end, start + duration)
    }
  }
  return end >= (firstDay + 2 * 366) * day
}
