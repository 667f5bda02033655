import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Balancer } from "../src/supervisor/proxy/Balancer.ts"

const upstream = (name: string, ready = true) => ({ name, ready })

const balancer = (weights: Readonly<Record<string, number>>) => {
  const made = new Balancer<{ readonly name: string; readonly ready: boolean }>()
  made.setWeights(weights)
  for (const name of Object.keys(weights)) made.add(name, upstream(name))
  return made
}

const counts = (names: ReadonlyArray<string>) => {
  const found: Record<string, number> = {}
  for (const name of names) found[name] = (found[name] ?? 0) + 1
  return found
}

describe("Balancer", () => {
  it.prop(
    "gives each of two releases its share of any hundred requests, to within one",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 99 })),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))
    ],
    ([weight, offset]) => {
      const made = balancer({ stable: 100 - weight, candidate: weight })
      const picked = Array.from({ length: 400 + offset }, () => made.pick()!.name)
      for (let start = 0; start + 100 <= picked.length; start++) {
        const share = counts(picked.slice(start, start + 100))["candidate"] ?? 0
        assert.isAtMost(Math.abs(share - weight), 1)
      }
    }
  )

  it.prop(
    "is exact over a full cycle, for any number of releases",
    [Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })))],
    ([weights]) => {
      const table = Object.fromEntries(weights.slice(0, 6).map((weight, index) => [`r${index}`, weight]))
      const made = balancer(table)
      const total = Object.values(table).reduce((sum, weight) => sum + weight, 0)
      for (let cycle = 0; cycle < 3; cycle++) {
        assert.deepStrictEqual(counts(Array.from({ length: total }, () => made.pick()!.name)), table)
      }
    }
  )

  it("spreads the requests of a release over its ready instances", () => {
    const made = balancer({ stable: 100 })
    made.add("stable", upstream("second"))
    made.add("stable", upstream("third", false))
    assert.deepStrictEqual(counts(Array.from({ length: 100 }, () => made.pick()!.name)), { stable: 50, second: 50 })
  })

  it("skips a release that has no ready instance, and says so", () => {
    const made = new Balancer<{ readonly name: string; readonly ready: boolean }>()
    made.setWeights({ stable: 90, candidate: 10 })
    made.add("stable", upstream("stable"))
    made.add("candidate", upstream("candidate", false))
    assert.deepStrictEqual(made.effective(), { stable: 100 })
    assert.deepStrictEqual(counts(Array.from({ length: 100 }, () => made.pick()!.name)), { stable: 100 })
  })

  it("uses new weights at once, and returns none if none is ready", () => {
    const made = balancer({ v1: 100 })
    made.add("v2", upstream("v2"))
    made.setWeights({ v2: 100 })
    assert.deepStrictEqual(counts(Array.from({ length: 50 }, () => made.pick()!.name)), { v2: 50 })
    made.setWeights({})
    assert.isUndefined(made.pick())
    assert.deepStrictEqual(made.effective(), {})
  })
})
