import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Gate from "../../src/analysis/Gate.ts"
import { GateSpec } from "../../src/domain/Spec.ts"

const gate = Schema.decodeUnknownSync(GateSpec)({})
const measured = { requests: 0, errors: 0, latency: { mean: 10, p95: 20 }, healthy: 100 }
const options = { watched: Duration.minutes(5), samples: "if_any" } as const
const codes = (values: typeof measured) => Gate.judge(gate, values, options).findings.map(({ code }) => code as string)

describe("a gate", () => {
  it("speaks of errors only if there were requests, and keeps them as evidence", () => {
    assert.notInclude(codes(measured), "errors")
    assert.include(codes(measured), "requests_none")
    assert.include(codes({ ...measured, requests: 1_000 }), "errors")
    const { evidence } = Gate.judge(gate, measured, options)
    assert.include(
      evidence.map(({ metric }) => metric as string),
      "errors"
    )
  })
})
