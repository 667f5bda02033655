import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import {
  CorrelationId,
  DeploymentId,
  EnvironmentName,
  makeDeploymentId,
  Percent,
  StackName,
  Timestamp
} from "../../src/domain/index.ts"

describe("makeDeploymentId", () => {
  it.effect("draws every digit of the alphabet at every place, and nothing else", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.replicateEffect(makeDeploymentId, 2_000)
      expect(ids.every((id) => Schema.is(DeploymentId)(id))).toBe(true)
      for (let place = 1; place <= 6; place++) {
        expect([...new Set(ids.map((id) => id[place]))].toSorted().join("")).toBe("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
      }
      expect(new Set(ids).size).toBeGreaterThan(1_990)
    })
  )
})

describe("names and ids", () => {
  const long = (length: number) => "a".repeat(length)

  it.each([
    ["DeploymentId", DeploymentId, ["DX6604E", "D000000", "DZZZZZZ"]],
    ["CorrelationId", CorrelationId, ["a", "7", "deploy-2026.11.21_a:b", long(128)]],
    ["EnvironmentName", EnvironmentName, ["production", "p", "1", "eu-west-1", long(63)]],
    ["StackName", StackName, ["api", "a", "web-2", long(63)]]
  ])("%s are accepted", (_, schema, values) => {
    expect(values.filter((value) => !Schema.is(schema as Schema.Schema<string>)(value))).toEqual([])
  })

  it.each([
    [
      "DeploymentId",
      DeploymentId,
      ["", "X66604E", "DX6604", "DX6604EE", "dx6604e", "DI00000", "DL00000", "DO00000", "DU00000", "DX6604E\n"]
    ],
    ["CorrelationId", CorrelationId, ["", "-a", ".", "a b", "a/b", "ä", "a\n", "../a", long(129)]],
    ["EnvironmentName", EnvironmentName, ["", "-a", "Production", "a_b", "a.b", "a/b", "a\n", long(64)]],
    ["StackName", StackName, ["", "-a", "1a", "Api", "a_b", "a/b", "..", "a\n", long(64)]]
  ])("%s are refused", (_, schema, values) => {
    expect(values.filter((value) => Schema.is(schema as Schema.Schema<string>)(value))).toEqual([])
  })
})

describe("numbers", () => {
  it.each([
    ["Percent", Percent, [0, 0.5, 100], [-0.001, 100.001, Number.NaN, Number.POSITIVE_INFINITY]],
    ["Timestamp", Timestamp, [0, 1_795_246_224_374], [-1, 0.5, Number.NaN, 2 ** 53]]
  ])("%s", (_, schema, accepted, refused) => {
    expect(accepted.filter((value) => !Schema.is(schema)(value))).toEqual([])
    expect(refused.filter((value) => Schema.is(schema)(value))).toEqual([])
  })
})
