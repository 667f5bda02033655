import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { EnvironmentName, Freeze, FreezeSpec } from "../../packages/core/src/domain/index.ts"
import { read } from "./repository.ts"

const decode = Schema.decodeUnknownSync(FreezeSpec, { onExcessProperty: "error" })
const written = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at)).replace(":00.000Z", "Z")

describe("docs/freezes.md", () => {
  const page = read("docs/freezes.md")

  it.each(["recurring", "calendar", "clocks"])("%s: has examples with correct times", (name) => {
    const [, table = ""] = new RegExp(`<!-- ${name} -->\\n\\n((?:\\|.*\\n)+)`).exec(page) ?? []
    const rows = table.trim().split("\n").slice(2)
    expect(rows.length).toBeGreaterThan(3)
    for (const row of rows) {
      const [, freeze = "", at = "", since = "", until = ""] = row
        .split("|")
        .map((cell) => cell.trim().replaceAll("`", ""))
      const now = DateTime.toEpochMillis(DateTime.makeUnsafe(at))
      const [active] = Freeze.activeAt([decode(JSON.parse(freeze))], EnvironmentName.make("production"), now)
      expect(active === undefined ? ["–", "–"] : [active.since, active.until].map(written), row).toEqual([since, until])
    }
  })
})
