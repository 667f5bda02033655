import { assert, describe, it } from "@effect/vitest"
import { causeInfo, type Code, errorInfo, type Event } from "@signalbox/core/spi"
import { sentencesIn, Simulation } from "@signalbox/core/testing"
import { seedsOfSentences } from "./seeds.ts"

const ended = (more: object) => ({ _tag: "ExecutionTransitioned", on: "failed", ...more }) as unknown as Event

describe("sentences in the log", () => {
  it("are none in dozens of simulated schedules, whatever goes wrong in them", async () => {
    const { failures, schedules } = await Simulation.runPromise({ ...seedsOfSentences, shrink: 0 })
    assert.deepStrictEqual(failures.map(Simulation.render), [])
    assert.isAtLeast(schedules, seedsOfSentences.seeds)
  })

  it("are found where one is planted", () => {
    const code = "aborted" as Code
    const planted = [
      ended({ cause: "the command ended" }),
      ended({ cause: { code: "the command ended", params: {} } }),
      ended({ cause: { code, params: { why: "the command ended" } } }),
      ended({ error: { code, params: { cause: { code, params: { text: "it ended" } } } } }),
      ended({ error: { code, params: {}, remedies: [{ _tag: "attach", execution: "carry it on" }] } }),
      ended({ error: { code, params: {}, hint: "See: signalbox status" } }),
      ended({ error: { code, params: {}, detail: "carry on with: signalbox attach x" } }),
      ended({ message: "the command ended" }),
      { _tag: "CommandIssued", command: "abort", by: "signalbox", reason: "gives-way" } as unknown as Event
    ]
    for (const event of planted) assert.lengthOf(sentencesIn(event), 1, JSON.stringify(event))
  })

  it("are none where people, providers and exceptions speak", () => {
    const error = errorInfo(
      "gate_failed",
      {
        stack: "web",
        step: "canary 10%",
        version: "release of the week",
        findings: [causeInfo("unmeasured", {}, "no route to host")]
      },
      { detail: "it does not come up", remedies: [{ _tag: "hint", text: "Look at its log." }] }
    )
    assert.deepStrictEqual(sentencesIn(ended({ error })), [])
    assert.deepStrictEqual(
      sentencesIn({ _tag: "CommandIssued", command: "abort", by: "Ada L.", reason: "wrong version" } as never),
      []
    )
  })
})
