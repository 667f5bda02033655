import { assert, describe, it } from "@effect/vitest"
import { config, good, issuesOf } from "./configurations.ts"

describe("Configuration.check of freezes", () => {
  const weekend = { name: "weekend", cron: "0 18 * * 5", duration: "62 hours", timezone: "Europe/Berlin" }
  const holidays = { name: "holidays", from: "2026-12-24", until: "2026-12-26" }
  const frozen = (...freezes: ReadonlyArray<unknown>) => issuesOf(config({ freezes }))

  it("accepts both kinds", () => {
    const { freezes } = good(config({ freezes: [weekend, { ...holidays, environments: ["production"] }] }))
    assert.deepStrictEqual(
      freezes.map(({ name, timezone }) => [name, timezone]),
      [
        ["weekend", "Europe/Berlin"],
        ["holidays", "UTC"]
      ]
    )
  })

  it.each([
    ["a misspelt zone", { ...weekend, timezone: "Europe/Berln" }, ".timezone", `Did you mean "Europe/Berlin"?`],
    ["a city alone", { ...weekend, timezone: "berlin" }, ".timezone", `Did you mean "Europe/Berlin"?`],
    ["an offset", { ...weekend, timezone: "+02:00" }, ".timezone", "knows when clocks are changed"],
    ["a cron with seconds", { ...weekend, cron: "0 0 18 * * 5" }, ".cron", "Write for example cron"],
    ["a cron that cannot be read", { ...weekend, cron: "0 25 * * *" }, ".cron", "Write for example cron"],
    ["a day that never comes", { ...weekend, cron: "0 0 30 2 *" }, ".cron", "that its months have"],
    ["no cron", { name: "a", duration: "1 hour" }, ".cron", "Write for example cron"],
    ["a misspelt key", { ...holidays, untill: "2026-12-27" }, ".untill", `Did you mean "until"?`],
    ["windows without a break", { ...weekend, duration: "7 days" }, ".duration", "Make it shorter"],
    ["a duration that is too long", { ...weekend, duration: "31 days" }, ".duration", "Write for example duration"],
    ["an end before the beginning", { ...holidays, until: "2025-12-26" }, ".until", "correct the year"],
    ["a date that no calendar has", { ...holidays, from: "2026-02-30" }, ".from", "Write for example from"],
    ["a time with an offset", { ...holidays, from: "2026-12-24T18:00Z" }, ".from", "name the zone in timezone"],
    ["both kinds at once", { ...weekend, from: "2026-12-24" }, ".from", "Make two freezes of it"],
    ["neither kind", { name: "a" }, "", "Give it cron and duration"],
    ["something else", "weekend", "", "Write for example freezes"],
    ["no environment", { ...weekend, environments: [] }, ".environments", "Write for example environments"],
    ["an environment that is not there", { ...weekend, environments: ["prodution"] }, ".environments[0]", "production"],
    ["an environment that is none", { ...weekend, environments: [7] }, ".environments[0]", "production"]
  ])("refuses %s", (_, freeze, path, hint) => {
    const [issue, ...others] = frozen(freeze)
    assert.strictEqual(issue?.path, `freezes[0]${path}`)
    assert.include(issue!.hint, hint)
    assert.isNotEmpty(issue!.expected)
    assert.isEmpty(others)
  })

  it("says what is wrong with a cron without quoting it", () => {
    const said = (cron: string) => frozen({ ...weekend, cron })[0]?.message
    assert.strictEqual(said("0 18 * *"), "has 4 fields in the place of five")
    assert.strictEqual(said("0 18 * * hunter2"), "cannot be read: expected a positive integer as the weekday")
    assert.strictEqual(said("0 18 32 * *"), "cannot be read: expected a value between 1 and 31 as the day of the month")
    assert.strictEqual(said("0 18 * 0 5"), "cannot be read: expected a value between 1 and 12 as the month")
    assert.strictEqual(said("0 0 31 2,4 *"), "matches no day of any year")
  })

  it("refuses two freezes of one name", () => {
    assert.deepStrictEqual(
      frozen(weekend, { ...holidays, name: "weekend" }).map(({ path }) => path),
      ["freezes[1].name"]
    )
  })

  it("reports all that is wrong with them at once", () => {
    assert.sameMembers(
      frozen({ ...weekend, cron: "x", timezone: "x" }, { ...holidays, until: "soon", environments: ["x"] }).map(
        ({ path }) => path
      ),
      ["freezes[0].cron", "freezes[0].timezone", "freezes[1].until", "freezes[1].environments[0]"]
    )
  })

  it.each([
    ["freeze", [weekend], "freezes"],
    ["require", [{ deployment: "DX6604E" }], "requires"],
    ["queu", "fifo", "queue"]
  ])("suggests what %s was meant to be", (key, value, meant) => {
    assert.deepStrictEqual(
      issuesOf(config({ [key]: value })).map(({ hint, path }) => [path, hint]),
      [[key, `Did you mean "${meant}"?`]]
    )
  })
})

describe("Configuration.check of what coordinates deployments", () => {
  it("leaves the queue to the command by default", () => {
    assert.isUndefined(good(config()).queue)
    assert.strictEqual(good(config({ queue: "latest_wins" })).queue, "latest_wins")
  })

  it("accepts deployments that have to be there first", () => {
    const requires = [{ deployment: "DX6604E" }, { deployment: "D000001", environment: "shared" }]
    assert.deepStrictEqual(JSON.stringify(good(config({ requires })).requires), JSON.stringify(requires))
  })

  it.each([
    [{ queue: "latest_win" }, "queue", `Did you mean "latest_wins"?`],
    [{ queue: true }, "queue", `Write for example queue: "fifo".`],
    [{ requires: ["DX6604E"] }, "requires[0]", `{ "deployment": "DX6604E" }`],
    [{ requires: [{ deployment: "shop" }] }, "requires[0].deployment", `Write for example deployment: "DX6604E".`],
    [{ requires: [{ deployment: "DX6604E", env: "a" }] }, "requires[0].env", "known keys"],
    [{ requires: [{ deployment: "DX6604E", environment: "A" }] }, "requires[0].environment", `"production"`]
  ])("refuses %j", (more, path, hint) => {
    const [issue, ...others] = issuesOf(config(more))
    assert.strictEqual(issue?.path, path)
    assert.include(issue!.hint, hint)
    assert.isEmpty(others)
  })
})
