import { describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { GateSpec, Manifest, Span, StackSpec, StrategySpec } from "../../src/domain/index.ts"
import { span } from "./arbitraries.ts"

const refusal = (schema: Schema.Decoder<unknown>, input: unknown): string | undefined => {
  const result = Schema.decodeUnknownResult(schema, { onExcessProperty: "error" })(input)
  return Result.isFailure(result) ? String(result.failure) : undefined
}

describe("defaults of a specification", () => {
  it("is 80 % healthy, 10 errors in 5 minutes and 2 seconds in a gate", () => {
    const gate = Schema.decodeUnknownSync(GateSpec)({})
    expect({
      ...gate,
      errorWindow: Duration.toMinutes(gate.errorWindow),
      maxResponseTime: Duration.toMillis(gate.maxResponseTime),
      gracePeriod: Duration.toMinutes(gate.gracePeriod),
      interval: Duration.toSeconds(gate.interval)
    }).toEqual({
      minHealthyPercentage: 80,
      maxErrorCount: 10,
      errorWindow: 5,
      maxResponseTime: 2000,
      responseTime: "p95",
      gracePeriod: 5,
      interval: 10,
      consecutivePasses: 3,
      minSamples: 20
    })
  })

  it("is one step, no dependency and half an hour in a stack", () => {
    const stack = Schema.decodeUnknownSync(StackSpec)({ name: "api", provider: "local" })
    expect(stack).toMatchObject({ enabled: true, dependsOn: [], strategy: { type: "all_at_once" }, properties: {} })
    expect(Duration.toMinutes(stack.timeout)).toBe(30)
    expect("irreversible" in stack).toBe(false)
  })

  it("is automatic rollback, four stacks at once and a lease of 15 seconds in a manifest", () => {
    const manifest = Schema.decodeUnknownSync(Manifest)({
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      stacks: [{ name: "api", provider: "local" }]
    })
    expect(manifest).toMatchObject({ rollback: true, parallelism: 4, template: "default", requires: [], freezes: [] })
    expect("queue" in manifest).toBe(false)
    expect(Duration.toSeconds(manifest.leaseTtl)).toBe(15)
  })

  it("is 10, 50 and 100 percent in a canary", () => {
    const canary = Schema.decodeUnknownSync(StrategySpec)({ type: "canary" })
    expect(canary.type === "canary" && canary.steps.map(({ weight }) => weight)).toEqual([10, 50, 100])
  })
})

describe("rejected specifications", () => {
  const stack = { name: "api", provider: "local" }
  const manifest = { organization: "acme", project: "shop", environments: { production: {} }, stacks: [stack] }

  it.each([
    ["a canary whose weights fall", StrategySpec, { type: "canary", steps: [{ weight: 50 }, { weight: 10 }] }, "rise"],
    ["a canary that stands still", StrategySpec, { type: "canary", steps: [{ weight: 50 }, { weight: 50 }] }, "rise"],
    ["a canary of nothing", StrategySpec, { type: "canary", steps: [] }, ""],
    ["a step of 0 percent", StrategySpec, { type: "canary", steps: [{ weight: 0 }] }, ""],
    ["a step of 101 percent", StrategySpec, { type: "canary", steps: [{ weight: 101 }] }, ""],
    ["an unknown strategy", StrategySpec, { type: "big_bang" }, ""],
    ["no batch", StrategySpec, { type: "rolling", batches: 0 }, ""],
    ["a gate that is never passed", GateSpec, { consecutivePasses: 0 }, ""],
    ["less than no error", GateSpec, { maxErrorCount: -1 }, ""],
    ["half an error", GateSpec, { maxErrorCount: 0.5 }, ""],
    ["a span without a unit", Span, "5", ""],
    ["a span of more than 30 days", Span, "31 days", "30 days"],
    ["a negative span", Span, "-1 seconds", "from nothing"],
    ["a span as a number", Span, 5, ""],
    ["a manifest without stacks", Manifest, { ...manifest, stacks: [] }, ""],
    ["a lease shorter than a second", Manifest, { ...manifest, leaseTtl: "999 millis" }, "1 second"],
    ["an environment in capitals", Manifest, { ...manifest, environments: { PROD: {} } }, ""],
    ["a stack whose name is a path", StackSpec, { ...stack, name: "../api" }, "stack name"]
  ] as const)("%s", (_, schema, input, reason) => {
    expect(refusal(schema, input)).toContain(reason)
  })

  it("is not correct", () => {
    expect(refusal(Manifest, manifest)).toBeUndefined()
    expect(refusal(StackSpec, stack)).toBeUndefined()
    expect(refusal(Span, "30 days")).toBeUndefined()
  })
})

describe("a span", () => {
  it.prop("is written as text that reads back the same", [span()], ([value]) => {
    const text = Schema.encodeSync(Span)(value)
    expect(Duration.toMillis(Schema.decodeSync(Span)(text))).toBe(Duration.toMillis(value))
  })
})
