import { assert, describe, it } from "vitest"
import * as Schema from "effect/Schema"
import { type Hours, isWithin } from "../../../src/domain/notification/Hours.ts"
import { NotificationsSpec, targetsOf } from "../../../src/domain/notification/index.ts"
import { sampleMessage } from "../../../src/testing/notifier/sampleMessages.ts"

const at = (text: string): number => Date.parse(text)
const office: Hours = {
  from: "08:00",
  until: "18:00",
  days: ["mon", "tue", "wed", "thu", "fri"],
  timezone: "Europe/Berlin"
}

describe("hours of a route", () => {
  // 2026-11-30 is a Monday; Berlin is one hour ahead in winter, two in summer.
  it.each([
    [office, "2026-11-30T06:59:00Z", false],
    [office, "2026-11-30T07:00:00Z", true],
    [office, "2026-11-30T16:59:59Z", true],
    [office, "2026-11-30T17:00:00Z", false],
    [office, "2026-11-29T10:00:00Z", false],
    [office, "2026-07-06T06:00:00Z", true],
    [{ from: "22:00", until: "06:00", days: ["mon"] }, "2026-11-30T23:00:00Z", true],
    [{ from: "22:00", until: "06:00", days: ["mon"] }, "2026-12-01T05:59:00Z", true],
    [{ from: "22:00", until: "06:00", days: ["mon"] }, "2026-11-30T05:59:00Z", false],
    [{ from: "00:00", until: "24:00" }, "2026-11-30T23:59:59Z", true]
  ] as ReadonlyArray<[Hours, string, boolean]>)("%j at %s: %s", (hours, when, expected) => {
    assert.strictEqual(isWithin(hours, at(when)), expected)
  })

  it("choose another channel at night", () => {
    const settings = Schema.decodeUnknownSync(NotificationsSpec)({
      channels: { team: { kind: "memory" }, pager: { kind: "memory" } },
      routes: [
        { when: { kind: "failed", hours: { from: "08:00", until: "18:00" } }, to: "team" },
        { when: { kind: "failed", hours: { from: "18:00", until: "08:00" } }, to: "pager" }
      ]
    })
    const channels = (when: string) =>
      targetsOf(settings, { ...sampleMessage("failed", { stream: "e-1" }), at: at(when) }).map(({ channel }) => channel)
    assert.deepStrictEqual(channels("2026-11-30T12:00:00Z"), ["team"])
    assert.deepStrictEqual(channels("2026-11-30T02:00:00Z"), ["pager"])
  })
})
