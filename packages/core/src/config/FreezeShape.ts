/**
 * The shape of freezes: whether each of them says when it begins and ends, in terms that a calendar and a clock know.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { FreezeSpec, isEndless, windowOf } from "../domain/freeze/FreezeSpec.ts"
import { EnvironmentName } from "../domain/Ids.ts"
import { parseLocal, zoneOf } from "../domain/freeze/LocalTime.ts"
import * as Recurrence from "../domain/freeze/Recurrence.ts"
import { type ConfigurationIssue, noSuch, type Path } from "./ConfigurationIssue.ts"
import { nearest } from "../text/nearest.ts"
import { fieldsOf, type Inspect, isObject, leaf, list, optional, struct, wrong } from "./ShapeWalk.ts"

const [recurring, calendar] = FreezeSpec.members

/** An issue with its own wording. */
const said = (value: unknown, path: Path, key: string, message: string, hint?: string): ConfigurationIssue => {
  const usual = wrong(value, path, key)
  return { ...usual, message, hint: hint ?? usual.hint }
}

const environments = list("frozenEnvironments", leaf(EnvironmentName, "environmentName"), (value, path) =>
  Array.isArray(value) && value.length === 0 ? [wrong(value, path, "frozenEnvironments")] : []
)

const timezone: Inspect = (value, path) => {
  if (typeof value !== "string" || value === "") return [wrong(value, path, "timezone")]
  if (zoneOf(value) !== undefined) return []
  if (/^[+-]?\d/.test(value)) {
    return [
      said(
        value,
        path,
        "timezone",
        "expected the name of a time zone, got an offset",
        `Name a place, which knows when clocks are changed, for example timezone: "Europe/Berlin".`
      )
    ]
  }
  const zones = ["UTC", ...Intl.supportedValuesOf("timeZone")]
  const city = `/${value.toLowerCase()}`
  const meant = zones.find((zone) => zone.toLowerCase().endsWith(city)) ?? nearest(value, zones)
  return [
    said(
      value,
      path,
      "timezone",
      meant === undefined ? noSuch("time zone", value, []) : `there is no time zone "${value}"`,
      meant === undefined ? undefined : `Did you mean "${meant}"?`
    )
  ]
}

const cron: Inspect = (value, path) => {
  if (typeof value !== "string") return [wrong(value, path, "cron")]
  const recurrence = Recurrence.parse(value)
  if (Result.isFailure(recurrence)) return [said(value, path, "cron", recurrence.failure)]
  if (Recurrence.everComes(recurrence.success)) return []
  return [
    said(
      value,
      path,
      "cron",
      "matches no day of any year",
      "Choose a day of the month that its months have, or another weekday."
    )
  ]
}

const local =
  (key: string): Inspect =>
  (value, path) => {
    if (typeof value !== "string" || parseLocal(value) === undefined) {
      const zoned = typeof value === "string" && /T.*(Z|[+-]\d\d(:?\d\d)?)$/.test(value)
      const issue = wrong(value, path, key)
      return [zoned ? { ...issue, hint: "Write it without an offset, and name the zone in timezone." } : issue]
    }
    return []
  }

const common = { environments: optional(environments), timezone: optional(timezone) }
const names = { name: leaf(recurring.fields.name, "freezeName") }
const recurs = fieldsOf(recurring.fields, { ...names, ...common, cron })
const onCalendar = fieldsOf(calendar.fields, { ...names, ...common, from: local("from"), until: local("until") })

const decodeDuration = Schema.decodeUnknownResult(recurring.fields.duration)

const breaks: Inspect = (value, path) => {
  const { cron, duration } = value as { readonly cron: string; readonly duration: unknown }
  const span = decodeDuration(duration)
  return Result.isSuccess(span) && isEndless({ cron, duration: span.success })
    ? [
        said(
          Duration.format(span.success),
          [...path, "duration"],
          "duration",
          "leaves no break between the windows, so that nothing could ever be deployed",
          "Make it shorter than the longest time between two beginnings."
        )
      ]
    : []
}

const ends: Inspect = (value, path) => {
  const { timezone = "UTC", ...dates } = value as {
    readonly timezone?: string
    readonly from: string
    readonly until: string
  }
  return windowOf({ ...dates, timezone }) === undefined
    ? [
        said(
          dates.until,
          [...path, "until"],
          "until",
          "is not after the beginning",
          "Exchange from and until, or correct the year."
        )
      ]
    : []
}

/** An object that is checked further once all its keys are right. */
const whole = (inspect: Inspect, then: Inspect): Inspect => {
  return (value, path) => {
    const issues = inspect(value, path)
    return issues.length === 0 ? then(value, path) : issues
  }
}

const aRecurring = whole(struct("freeze", recurs), breaks)
const aCalendar = whole(struct("freeze", onCalendar), ends)
const anything: Inspect = struct("freeze", {
  ...onCalendar,
  ...recurs,
  from: () => [],
  until: () => [],
  cron: () => [],
  duration: () => []
})

/** One freeze. */
export const freeze: Inspect = (value, path) => {
  if (!isObject(value)) return [wrong(value, path, "freeze")]
  const given = (...keys: ReadonlyArray<string>) => keys.filter((key) => value[key] !== undefined)
  const [often, once] = [given("cron", "duration"), given("from", "until")]
  if (often.length > 0 && once.length === 0) return aRecurring(value, path)
  if (once.length > 0 && often.length === 0) return aCalendar(value, path)
  const [extra] = once
  return [
    extra === undefined
      ? said(
          value,
          path,
          "freeze",
          "does not say when it is",
          `Give it cron and duration, for example "0 18 * * 5" and "62 hours", or from and until.`
        )
      : said(
          value,
          [...path, extra],
          "freeze",
          `cannot stand beside ${often.join(" and ")}: a freeze recurs or is on the calendar`,
          "Make two freezes of it, or remove one of the two."
        ),
    ...anything(value, path)
  ]
}
