import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { EnvironmentName } from "../Ids.ts"
import { isLine } from "../Line.ts"
import { momentOf, parseLocal, zoneOf } from "./LocalTime.ts"
import * as Recurrence from "./Recurrence.ts"
import { day, spanBetween } from "../Span.ts"

const Name = Schema.String.check(
  Schema.isPattern(/^\S(.{0,126}\S)?$/, { expected: "a name of 1 to 128 characters" }),
  isLine
)
const Reason = Schema.String.check(
  Schema.isPattern(/^\S(.{0,254}\S)?$/, { expected: "a reason of 1 to 256 characters" }),
  isLine
)
const TimeZone = Schema.String.check(
  Schema.makeFilter((name) => zoneOf(name) !== undefined, { expected: "the name of an IANA time zone" })
)
const CronText = Schema.String.check(
  Schema.makeFilter(
    (text) => {
      const recurrence = Recurrence.parse(text)
      return Result.isSuccess(recurrence) && Recurrence.everComes(recurrence.success)
    },
    { expected: "a cron of five fields that some day matches" }
  )
)
const Local = Schema.String.check(
  Schema.makeFilter((text) => parseLocal(text) !== undefined, { expected: "a local date, or a local date and time" })
)

const common = {
  name: Name,
  reason: Schema.optionalKey(Reason),
  environments: Schema.optionalKey(Schema.NonEmptyArray(EnvironmentName)),
  timezone: TimeZone.pipe(Schema.withDecodingDefault(Effect.succeed("UTC")))
}

/** Whether the windows of a recurring freeze leave no gap in which anything could be deployed. */
export const isEndless = (freeze: { readonly cron: string; readonly duration: Duration.Duration }): boolean => {
  const recurrence = Recurrence.parse(freeze.cron)
  return (
    Result.isSuccess(recurrence) && Recurrence.leavesNoBreak(recurrence.success, Duration.toMillis(freeze.duration))
  )
}

const Recurring = Schema.Struct({
  ...common,
  cron: CronText,
  duration: spanBetween(60_000, 30 * day, "a span of time from 1 minute to 30 days")
}).check(Schema.makeFilter((freeze) => !isEndless(freeze), { expected: "windows with breaks between them" }))

interface Dates {
  readonly timezone: string
  readonly from: string
  readonly until: string
}

/** The window of a calendar freeze; undefined if its dates or its zone cannot be read, or it ends before it begins. */
export const windowOf = ({
  from,
  timezone,
  until
}: Dates): { readonly since: number; readonly until: number } | undefined => {
  const [zone, first, last] = [zoneOf(timezone), parseLocal(from), parseLocal(until)]
  if (zone === undefined || first === undefined || last === undefined) return undefined
  const window = {
    since: momentOf(zone, first, "first"),
    until: momentOf(zone, until.includes("T") ? last : last + day, "last")
  }
  return window.since < window.until ? window : undefined
}

const Calendar = Schema.Struct({ ...common, from: Local, until: Local }).check(
  Schema.makeFilter((freeze) => windowOf(freeze) !== undefined, { expected: "an end after the beginning" })
)

/**
 * A period without deployments, unless someone overrides it with a reason.
 *
 * *Details*: it applies to the `environments` that it names, or to all of them without any, and uses the clocks of
 * `timezone` (default `UTC`). It is recurring or on the calendar.
 *
 * A recurring freeze begins when `cron` says (minute, hour, day of the month, month, weekday) and lasts for `duration`
 * (1 minute to 30 days) of elapsed time, even across clock changes. A local time that occurs twice begins it twice; a
 * skipped one begins it at the clock change. Adjacent windows count as one; windows without any gap are rejected, since
 * nothing could ever be deployed.
 *
 * A calendar freeze lasts from `from` up to, but not including, `until`: local dates such as `2026-12-24`, or dates and
 * times such as `2026-12-24T18:00`. A date alone means the whole day, also as `until`: the freeze then ends with that
 * day.
 */
export const FreezeSpec = Schema.Union([Recurring, Calendar])
export type FreezeSpec = typeof FreezeSpec.Type
