import { describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { EnvironmentName, Freeze, FreezeSpec } from "../../../src/domain/index.ts"
import { isEndless } from "../../../src/domain/freeze/FreezeSpec.ts"

const production = EnvironmentName.make("production")
const staging = EnvironmentName.make("staging")
const minute = 60_000
const hour = 60 * minute

const freeze = (spec: object): FreezeSpec => Schema.decodeUnknownSync(FreezeSpec)({ name: "freeze", ...spec })
const moment = (text: string): number => DateTime.toEpochMillis(DateTime.makeUnsafe(text))
const iso = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at)).replace(/:00\.000Z$/, "Z")
const written = (window: Freeze.ActiveFreeze | undefined) =>
  window === undefined ? undefined : [iso(window.since), iso(window.until)]

/** The window that holds at a moment, written in UTC. */
const at = (spec: FreezeSpec, text: string) => written(Freeze.activeAt([spec], production, moment(text))[0])
const after = (spec: FreezeSpec, text: string) => written(Freeze.next([spec], production, moment(text)))

describe("a freeze that recurs", () => {
  const weekend = freeze({ cron: "0 18 * * 5", duration: "62 hours", timezone: "Europe/Berlin" })

  it("is active from when the clocks of its zone say so, for its duration", () => {
    expect(at(weekend, "2026-11-20T16:59Z")).toBeUndefined()
    expect(at(weekend, "2026-11-20T17:00Z")).toEqual(["2026-11-20T17:00Z", "2026-11-23T07:00Z"])
    expect(at(weekend, "2026-11-23T06:59Z")).toEqual(["2026-11-20T17:00Z", "2026-11-23T07:00Z"])
    expect(at(weekend, "2026-11-23T07:00Z")).toBeUndefined()
  })

  it("lasts as much time as passes, also while clocks are changed", () => {
    expect(at(weekend, "2026-03-28T12:00Z")).toEqual(["2026-03-27T17:00Z", "2026-03-30T07:00Z"])
    expect(at(weekend, "2026-10-24T12:00Z")).toEqual(["2026-10-23T16:00Z", "2026-10-26T06:00Z"])
  })

  it.each([
    ["Europe/Berlin", "2026-03-29T00:59Z", undefined],
    ["Europe/Berlin", "2026-03-29T01:00Z", ["2026-03-29T01:00Z", "2026-03-29T01:20Z"]],
    ["Europe/Berlin", "2026-03-29T01:20Z", undefined],
    ["America/New_York", "2026-03-08T06:59Z", undefined],
    ["America/New_York", "2026-03-08T07:10Z", ["2026-03-08T07:00Z", "2026-03-08T07:20Z"]],
    ["America/New_York", "2026-03-08T07:30Z", undefined]
  ])("of an hour that is skipped begins with the change: %s at %s", (timezone, when, window) => {
    expect(at(freeze({ cron: "30 2 * * *", duration: "20 minutes", timezone }), when)).toEqual(window)
  })

  it.each([
    ["Europe/Berlin", "30 2 * * *", "2026-10-25T00:40Z", ["2026-10-25T00:30Z", "2026-10-25T00:50Z"]],
    ["Europe/Berlin", "30 2 * * *", "2026-10-25T01:00Z", undefined],
    ["Europe/Berlin", "30 2 * * *", "2026-10-25T01:40Z", ["2026-10-25T01:30Z", "2026-10-25T01:50Z"]],
    ["America/New_York", "30 1 * * *", "2026-11-01T05:40Z", ["2026-11-01T05:30Z", "2026-11-01T05:50Z"]],
    ["America/New_York", "30 1 * * *", "2026-11-01T06:40Z", ["2026-11-01T06:30Z", "2026-11-01T06:50Z"]]
  ])("of an hour that comes twice begins twice: %s, %s at %s", (timezone, cron, when, window) => {
    expect(at(freeze({ cron, duration: "20 minutes", timezone }), when)).toEqual(window)
  })

  it("is one window as long as its windows meet or overlap", () => {
    const nights = freeze({ cron: "0 0 * * 1-5", duration: "24 hours" })
    expect(at(nights, "2026-11-18T10:00Z")).toEqual(["2026-11-16T00:00Z", "2026-11-21T00:00Z"])
    expect(at(nights, "2026-11-18T00:00Z")).toEqual(["2026-11-16T00:00Z", "2026-11-21T00:00Z"])
    expect(at(nights, "2026-11-21T00:00Z")).toBeUndefined()
    const hours = freeze({ cron: "0 9-16 * * *", duration: "90 minutes" })
    expect(at(hours, "2026-11-18T12:10Z")).toEqual(["2026-11-18T09:00Z", "2026-11-18T17:30Z"])
  })

  it.each(Array.from({ length: 12 }, (_, index) => index + 1))("knows month %i and its last day", (month) => {
    const [first, next] = [`2028-${month}-1`, month === 12 ? "2029-1-1" : `2028-${month + 1}-1`].map((text) =>
      moment(`${text.replaceAll(/-(\d)(?!\d)/g, "-0$1")}T00:00Z`)
    )
    const days = (next! - first!) / (24 * hour)
    const last = freeze({ cron: `0 0 ${days} ${month} *`, duration: "1 day" })
    expect(Freeze.activeAt([last], production, next! - 1)).toEqual([
      { name: "freeze", since: next! - 24 * hour, until: next }
    ])
    expect(Freeze.next([last], production, first!)?.until).toBe(next)
  })

  it("may be rare", () => {
    const leap = freeze({ cron: "0 0 29 2 *", duration: "1 day" })
    expect(after(leap, "2096-03-01T00:00Z")).toEqual(["2104-02-29T00:00Z", "2104-03-01T00:00Z"])
    expect(at(leap, "2100-02-28T23:59Z")).toBeUndefined()
    expect(Freeze.next([leap], production, moment("2096-03-01T00:00Z"), "365 days")).toBeUndefined()
  })

  it("does not begin before the epoch, where clocks of tests stand", () => {
    const thursday = freeze({ cron: "0 0 * * 3", duration: "2 days" })
    expect(Freeze.activeAt([thursday], production, 0)).toEqual([{ name: "freeze", since: 0, until: 24 * hour }])
  })
})

describe("a freeze on the calendar", () => {
  it("takes a date as a whole, as its end too", () => {
    const holidays = freeze({ from: "2026-12-24", until: "2026-12-26", timezone: "Europe/Berlin" })
    const window = ["2026-12-23T23:00Z", "2026-12-26T23:00Z"]
    expect(at(holidays, "2026-12-23T22:59Z")).toBeUndefined()
    expect(at(holidays, "2026-12-23T23:00Z")).toEqual(window)
    expect(at(holidays, "2026-12-26T22:59Z")).toEqual(window)
    expect(at(holidays, "2026-12-26T23:00Z")).toBeUndefined()
    expect(after(holidays, "2026-11-01T00:00Z")).toEqual(window)
    expect(after(holidays, "2026-12-23T23:00Z")).toBeUndefined()
  })

  it("ends at a time, not after it", () => {
    const sale = freeze({ from: "2026-11-27T06:00", until: "2026-11-27T22:30", timezone: "America/New_York" })
    expect(at(sale, "2026-11-28T03:29Z")).toEqual(["2026-11-27T11:00Z", "2026-11-28T03:30Z"])
    expect(at(sale, "2026-11-28T03:30Z")).toBeUndefined()
  })

  it("uses UTC without a zone", () => {
    expect(after(freeze({ from: "2026-12-24", until: "2026-12-24" }), "2026-12-01T00:00Z")).toEqual([
      "2026-12-24T00:00Z",
      "2026-12-25T00:00Z"
    ])
  })

  it.each([
    ["skipped, begins with the change", "2026-03-29T02:30", "2026-03-29T04:00", ["01:00Z", "02:00Z"]],
    ["skipped, ends with the change", "2026-03-29T01:00", "2026-03-29T02:30", ["00:00Z", "01:00Z"]],
    ["repeated, begins at the first", "2026-10-25T02:30", "2026-10-25T04:00", ["00:30Z", "03:00Z"]],
    ["repeated, ends at the last", "2026-10-25T01:00", "2026-10-25T02:30", ["2026-10-24T23:00Z", "01:30Z"]]
  ])("of a time that is %s", (_, from, until, window) => {
    const day = from.slice(0, 11)
    expect(after(freeze({ from, until, timezone: "Europe/Berlin" }), "2026-01-01T00:00Z")).toEqual(
      window.map((end) => (end.length > 6 ? end : `${day}${end}`))
    )
  })

  it("knows days that begin when clocks are changed", () => {
    const cairo = freeze({ from: "2026-04-24", until: "2026-04-24", timezone: "Africa/Cairo" })
    expect(after(cairo, "2026-01-01T00:00Z")).toEqual(["2026-04-23T22:00Z", "2026-04-24T21:00Z"])
  })
})

describe("several freezes", () => {
  const week = freeze({ name: "week", cron: "0 0 * * 1", duration: "5 days", environments: ["production"] })
  const weekend = freeze({ name: "weekend", reason: "no one is there", from: "2026-11-21", until: "2026-11-22T12:00" })
  const both = [week, weekend]

  it("are active in the environments that they name, or in all by default", () => {
    const now = moment("2026-11-18T00:00Z")
    expect(Freeze.activeAt(both, production, now).map(({ name }) => name)).toEqual(["week"])
    expect(Freeze.activeAt(both, staging, now)).toEqual([])
    expect(Freeze.next(both, staging, now)?.name).toBe("weekend")
  })

  it("each say when they end, and together when nothing holds any more", () => {
    const now = moment("2026-11-20T12:00Z")
    expect(Freeze.activeAt(both, production, now).map(written)).toEqual([["2026-11-16T00:00Z", "2026-11-21T00:00Z"]])
    expect(iso(Freeze.clearsAt(both, production, now))).toBe("2026-11-22T12:00Z")
    expect(Freeze.clearsAt(both, staging, now)).toBe(now)
  })

  it("are listed with their reasons, in their order", () => {
    const early = freeze({ name: "early", from: "2026-11-21T06:00", until: "2026-11-30" })
    const active = Freeze.activeAt([weekend, early], production, moment("2026-11-21T07:00Z"))
    expect(active.map(({ name, reason }) => ({ name, reason }))).toEqual([
      { name: "weekend", reason: "no one is there" },
      { name: "early", reason: undefined }
    ])
  })

  it("begin one after the other, the first one first", () => {
    const now = moment("2026-11-16T00:00Z")
    expect(Freeze.next(both, production, now)?.name).toBe("weekend")
    expect(Freeze.next(both, production, moment("2026-11-22T00:00Z"))?.name).toBe("week")
    expect(Freeze.next(both, production, now, "5 days")?.name).toBe("weekend")
    expect(Freeze.next(both, production, now, Duration.millis(5 * 24 * hour - 1))).toBeUndefined()
  })

  it("that begin at once come in their order", () => {
    const [first, second] = ["first", "second"].map((name) => freeze({ name, cron: "0 6 * * *", duration: "1 hour" }))
    expect(Freeze.next([first!, second!], production, moment("2026-11-20T12:00Z"))?.name).toBe("first")
  })

  it("are followed only so far if they never end", () => {
    const even = freeze({ name: "even", cron: "*/2 * * * *", duration: "1 minute" })
    const odd = freeze({ name: "odd", cron: "1-59/2 * * * *", duration: "1 minute" })
    const now = moment("2026-11-16T00:00Z")
    expect(Freeze.clearsAt([even, odd], production, now)).toBe(now + 1_000 * minute)
  })
})

describe("rejected freezes", () => {
  const recurs = { name: "a", cron: "0 18 * * 5", duration: "1 hour" }
  const dated = { name: "a", from: "2026-12-24", until: "2026-12-26" }
  const refused = (input: object) =>
    Result.isFailure(Schema.decodeUnknownResult(FreezeSpec, { onExcessProperty: "error" })(input))

  it.each([
    ["no name", { ...recurs, name: "" }],
    ["a day that never comes", { ...recurs, cron: "0 0 30 2 *" }],
    ["another one", { ...recurs, cron: "0 0 31 4,6,9,11 *" }],
    ["a cron with seconds", { ...recurs, cron: "0 0 18 * * 5" }],
    ["an hour that no day has", { ...recurs, cron: "0 24 * * *" }],
    ["no duration", { name: "a", cron: "0 18 * * 5" }],
    ["a duration of nothing", { ...recurs, duration: "0 seconds" }],
    ["a duration of more than 30 days", { ...recurs, duration: "31 days" }],
    ["windows without a break", { ...recurs, duration: "7 days" }],
    ["windows that meet on every day", { ...recurs, cron: "0 0 * * *", duration: "24 hours" }],
    ["a zone that is none", { ...recurs, timezone: "Europe/Berln" }],
    ["an offset as a zone", { ...recurs, timezone: "+02:00" }],
    ["an end before the beginning", { ...dated, until: "2026-12-23" }],
    ["an end at the beginning", { ...dated, from: "2026-12-24T18:00", until: "2026-12-24T18:00" }],
    [
      "a time that the clocks skip altogether",
      { ...dated, from: "2026-03-29T02:10", until: "2026-03-29T02:50", timezone: "Europe/Berlin" }
    ],
    ["a date that no calendar has", { ...dated, from: "2026-02-29" }],
    ["a time that no clock has", { ...dated, from: "2026-12-24T24:00" }],
    ["a time with an offset", { ...dated, from: "2026-12-24T18:00Z" }],
    ["both kinds at once", { ...recurs, ...dated }],
    ["no environment", { ...dated, environments: [] }]
  ])("%s", (_, input) => {
    expect(refused(input)).toBe(true)
  })

  it("is not correct", () => {
    expect(refused(recurs)).toBe(false)
    expect(refused(dated)).toBe(false)
    expect(refused({ ...recurs, duration: "167 hours" })).toBe(false)
    expect(refused({ ...recurs, cron: "0 0 29 2 1", duration: "1 day" })).toBe(false)
    expect(refused({ ...dated, from: "2026-12-26" })).toBe(false)
  })
})

/** Changes of clocks in all directions: by an hour in the night, by half of one, and at midnight. */
const changes = [
  ["Europe/Berlin", "2026-03-29T01:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00Z"],
  ["America/New_York", "2026-03-08T07:00Z"],
  ["America/New_York", "2026-11-01T06:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:30Z"],
  ["Africa/Cairo", "2026-04-23T22:00Z"],
  ["Africa/Cairo", "2026-10-29T21:00Z"],
  ["UTC", "2028-02-29T00:00Z"]
] as const

const oneOf = <const Values extends ReadonlyArray<string>>(...values: Values) =>
  Arbitrary.schema(Schema.Literals(values))
const number = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const nearChange = Arbitrary.filter(
  Arbitrary.map(
    Arbitrary.all([
      Arbitrary.all([
        oneOf("*", "*/15", "0", "30", "5,50", "59"),
        oneOf("*", "2", "1-3", "0", "23", "*/6", "0-4/2"),
        oneOf("*", "*/2", "29", "1-8", "25-31", "24"),
        oneOf("*", "3,4,10,11", "feb", "*/2"),
        oneOf("*", "0", "6,7", "1-5", "*/2", "thu-sat")
      ]),
      Arbitrary.all([oneOf("few", "many"), number(1, 90), number(1, 30)]),
      number(0, changes.length - 1),
      number(-24 * 60, 24 * 60)
    ]),
    ([fields, [length, minutes, hours], change, distance]) => {
      const [timezone, changed] = changes[change]!
      return {
        spec: {
          name: "drawn",
          cron: fields.join(" "),
          duration: length === "few" ? Duration.minutes(minutes) : Duration.hours(hours),
          timezone
        },
        now: moment(changed) + distance * minute
      }
    }
  ),
  ({ spec }) => !isEndless(spec)
)

/** Whether each minute from `from` to `to` is frozen, by looking at the clock in every one of them. */
const scan = (spec: { cron: string; duration: Duration.Duration; timezone: string }, from: number, to: number) => {
  const cron = Cron.parseUnsafe(spec.cron, "UTC")
  const local = (moment: number) =>
    moment + DateTime.zonedOffset(DateTime.makeZonedUnsafe(moment, { timeZone: spec.timezone }))
  const duration = Duration.toMillis(spec.duration)
  const frozen = new Map<number, boolean>()
  let end = Number.NEGATIVE_INFINITY
  let shown = local(from - duration - minute)
  for (let moment = from - duration; moment <= to; moment += minute) {
    const clock = local(moment)
    // A clock that was put forward passes over the minutes between.
    for (let passed = Math.min(shown + minute, clock); passed <= clock; passed += minute) {
      if (Cron.match(cron, passed)) end = moment + duration
    }
    shown = clock
    frozen.set(moment, moment < end)
  }
  return (moment: number): boolean => frozen.get(moment)!
}

describe("whatever freeze recurs, while clocks are changed", () => {
  it.prop("holds in the minutes in which a look at the clock would find it", [nearChange], ([{ now, spec }]) => {
    const [active] = Freeze.activeAt([spec], production, now)
    expect(active !== undefined).toBe(scan(spec, now, now)(now))
  })

  it.prop("begins and ends when it says", [nearChange], ([{ now, spec }]) => {
    const isActive = (moment: number) => Freeze.activeAt([spec], production, moment).length > 0
    const [active] = Freeze.activeAt([spec], production, now)
    if (active === undefined) return
    expect([active.since - 1, active.since, now, active.until - 1, active.until].map(isActive)).toEqual([
      false,
      true,
      true,
      true,
      false
    ])
    expect(Freeze.activeAt([spec], production, active.until - 1)).toEqual([active])
    expect(Freeze.clearsAt([spec], production, now)).toBe(active.until)
  })

  it.prop("comes next where a look at the clock first finds it", [nearChange], ([{ now, spec }]) => {
    const within = 12 * hour
    const frozen = scan(spec, now, now + within)
    const next = Freeze.next([spec], production, now, within)
    let first: number | undefined
    for (let moment = now + minute; moment <= now + within && first === undefined; moment += minute) {
      if (frozen(moment) && !frozen(moment - minute)) first = moment
    }
    expect(next?.since).toBe(first)
  })
})
