import {
  flagsOf,
  parseTraceparent,
  rootSpanIdOf,
  sanitize,
  spanIdOf,
  traceEnvironment,
  traceIdOf
} from "@signalbox/core/telemetry"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { createHash, randomUUID } from "node:crypto"
import { sha256 } from "../../src/telemetry/sha256.ts"

const digest = (text: string) => createHash("sha256").update(text).digest("hex")

describe("sha256", () => {
  it.prop("is Node's, for any text", [Schema.String], ([text]) => {
    assert.strictEqual(sha256(text), digest(text))
  })

  it("is Node's at the edges of its blocks", () => {
    for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1_000]) {
      assert.strictEqual(sha256("a".repeat(length)), digest("a".repeat(length)), String(length))
    }
  })
})

describe("the identity of a trace", () => {
  it("is a UUID without hyphens, else a digest", () => {
    const uuid = randomUUID()
    assert.strictEqual(traceIdOf(uuid.toUpperCase()), uuid.replaceAll("-", ""))
    assert.strictEqual(traceIdOf("run-1"), digest("signalboxrun-1").slice(0, 32))
    assert.strictEqual(rootSpanIdOf("run-1"), digest("signalboxrun-1root").slice(0, 16))
    assert.notStrictEqual(spanIdOf("run-1", "/step/a"), spanIdOf("run-1", "/step/b"))
  })

  it("claims randomness only for random ids", () => {
    assert.deepEqual(
      [flagsOf(randomUUID(), true), flagsOf(randomUUID(), false), flagsOf("run-1", true), flagsOf("run-1", false)],
      ["03", "02", "01", "00"]
    )
  })
})

describe("trace context", () => {
  it("is read if it is valid", () => {
    const [traceId, spanId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]
    assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-01`), { traceId, spanId })
    assert.deepEqual(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes-later`), { traceId, spanId })
    for (const wrong of [
      undefined,
      "",
      "00",
      `ff-${traceId}-${spanId}-01`,
      `00-${"0".repeat(32)}-${spanId}-01`,
      `00-${traceId}-${"0".repeat(16)}-01`,
      `00-${traceId.toUpperCase()}-${spanId}-01`
    ])
      assert.isUndefined(parseTraceparent(wrong), wrong)
  })

  it("is handed on, with the baggage that came in", () => {
    const env = { TRACEPARENT: "of the CI", TRACESTATE: "a=b", BAGGAGE: "user=x;p=1, signalbox.correlation_id=old" }
    assert.deepEqual(traceEnvironment("run 1", { env }), {
      TRACEPARENT: `00-${traceIdOf("run 1")}-${rootSpanIdOf("run 1")}-01`,
      TRACESTATE: undefined,
      BAGGAGE: "signalbox.correlation_id=run%201,user=x;p=1"
    })
    const full = Array.from({ length: 100 }, (_, n) => `k${n}=${"v".repeat(200)}`).join(",")
    const { BAGGAGE } = traceEnvironment("run-1", { env: { BAGGAGE: full } })
    assert.isAtMost(BAGGAGE.length, 8_192)
    assert.isAtMost(BAGGAGE.split(",").length, 64)
  })
})

describe("messages", () => {
  it("lose credentials, line breaks, and excess length", () => {
    assert.strictEqual(
      sanitize("cannot reach postgres://me:hunter2@db:5432/x\nwith password=hunter2, token: hunter2"),
      "cannot reach postgres://…@db:5432/x with password=…, token: …"
    )
    assert.strictEqual(sanitize('{"apiKey":"hunter2","n":1}'), '{"apiKey":…,"n":1}')
    assert.strictEqual(sanitize("Authorization: Bearer hunter2"), "Authorization: …")
    assert.lengthOf(sanitize("x".repeat(1_000)), 256)
  })
})
