import { executionView } from "@signalbox/core/api/views"
import { assert, describe, it } from "vitest"
import * as FastCheck from "fast-check"
import { displayWidth } from "effect/cli/CliOutput"
import { causeInfo, type Execution } from "@signalbox/core/spi"
import { executionTable } from "../src/commands/history.ts"
import { executionLines } from "../src/live/execution.ts"
import { render } from "../src/live/render.ts"
import { table } from "../src/live/table.ts"
import { heartbeat, sentence } from "../src/live/transition.ts"
import { plain, span } from "../src/live/words.ts"
import { outcome } from "../src/execution/outcome.ts"
import { paint } from "../src/host/color.ts"
import { at, canary, done, execution, failing, saying, stack, stagesAt, verdict } from "./states.ts"

const screen = { now: at(30), columns: 100, rows: 40, color: false }
const ink = { paint: paint(false), columns: 100 }

describe("render", () => {
  it("shows the facts, the stages, each stack with a glyph and a word, the weight, the verdict and the progress", () => {
    const state = execution({ verdicts: [verdict("api", "pass", "0 errors of at most 10")] })
    assert.deepEqual(render(state, screen), [
      "◌ deploy DX6604E  production  v2  in progress  30s",
      "  ✔ initialization 1s  ✔ health check 1s  ◌ deployment 28s  · validation",
      "  ✔ database  deployed      v2  4s",
      "  ◌ api       deploying     v1 → v2  30s",
      "    ◌ deployment 28s",
      "    ██████████░░░░░░░░░░ 50% of the traffic to v2",
      "    ✔ pass, canary 50%: 0 errors of at most 10",
      "    2 of 2 instances of v2 are ready",
      "  · web       waits         –"
    ])
  })

  it("shows what it waits for, for how long, and what to type", () => {
    const state = execution({
      status: "paused",
      stacks: [{ ...canary("api", 10), stages: stagesAt("deployment", "waiting") }],
      questions: [{ stack: "api" as never, question: saying("Go on to 50%?"), expiresAt: at(150), otherwise: "abort" }]
    })
    const lines = render(state, screen)
    assert.include(lines, "    ⏸ Go on to 50%? (2m left, then abort)")
    assert.include(lines, `      signalbox approve ${state.correlationId} --stack api  or abort`)
  })

  it("keeps commands to type whole on a narrow screen", () => {
    const state = execution({
      status: "paused",
      stacks: [{ ...canary("api", 10), stages: stagesAt("deployment", "waiting") }],
      questions: [
        {
          stack: "api" as never,
          question: saying("v2 carries 10 % of the traffic. Continue?"),
          expiresAt: at(150),
          otherwise: "abort"
        }
      ]
    })
    const lines = render(state, { ...screen, columns: 60 })
    assert.include(lines, "    ⏸ v2 carries 10 % of the traffic. Continue?")
    assert.include(lines, "      2m left, then abort")
    assert.include(lines, `      signalbox approve ${state.correlationId}`)
  })

  it("shows the running stage if there is no room for earlier ones", () => {
    const state = execution({ stages: stagesAt("validation") })
    assert.strictEqual(
      render(state, { ...screen, columns: 60 })[1],
      "  … ✔ health check 1s  ✔ deployment 1s  ◌ validation 27s"
    )
  })

  it("says what to type if it is paused without a question", () => {
    const lines = render(execution({ status: "paused", cause: causeInfo("paused_by", { by: "ada" }) }), screen)
    assert.strictEqual(lines.at(-1), "  paused by ada  signalbox resume 4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10")
  })

  it("shows the final state, not the plan", () => {
    const state = execution({
      status: "rolled_back",
      finishedAt: at(20),
      stacks: [{ ...canary("api", 0), status: "deployed" }]
    })
    assert.notInclude(render(state, screen).join("\n"), "→")
  })

  it("keeps the reason of a failed stack when its subtree collapses", () => {
    const failed = stack("api", {
      status: "failed",
      error: failing("it exits with 1"),
      stages: stagesAt(undefined)
    })
    assert.include(render(execution({ stacks: [failed] }), screen), "    it exits with 1")
  })

  it("drops details first, then finished stacks, on a low screen", () => {
    const state = execution({
      stacks: [...Array.from({ length: 20 }, (_, index) => done(`s${index}`, "v2")), canary("api", 10)]
    })
    const lines = render(state, { ...screen, rows: 8 })
    assert.isAtMost(lines.length, 7)
    assert.isTrue(lines.some((line) => line.includes("◌ api")))
    assert.isTrue(lines.some((line) => /… and \d+ more: \d+ deployed/.test(line)))
  })

  it("is never taller nor wider than the screen, whatever the state", () => {
    const names = FastCheck.array(FastCheck.stringMatching(/^[a-z][a-z0-9-]{0,62}$/), { maxLength: 40 })
    const texts = FastCheck.oneof(
      FastCheck.string({ unit: "grapheme", maxLength: 200 }),
      FastCheck.constant("漢字\u001b[31m\nline\u0007")
    )
    FastCheck.assert(
      FastCheck.property(
        names,
        texts,
        FastCheck.integer({ min: 1, max: 200 }),
        FastCheck.integer({ min: 2, max: 60 }),
        FastCheck.integer({ min: 0, max: 100 }),
        FastCheck.boolean(),
        (stacks, text, columns, rows, weight, color) => {
          const states = stacks.map((name, index): Execution.StackState =>
            index % 3 === 0
              ? done(name, text)
              : index % 3 === 1
                ? { ...canary(name, weight), progress: text }
                : stack(name)
          )
          const lines = render(
            execution({
              stacks: states,
              version: text,
              verdicts: stacks.map((name) => verdict(name, "fail", text)),
              questions: stacks.slice(0, 3).map((name) => ({
                stack: name as never,
                question: saying(text),
                expiresAt: at(90),
                otherwise: "abort" as const
              })),
              error: failing(text)
            }),
            { now: at(30), columns, rows, color }
          )
          assert.isAtMost(lines.length, Math.max(1, rows - 1))
          for (const line of lines) {
            const visible = line.replaceAll(/\u001b\[\d+m/g, "")
            assert.isAtMost(displayWidth(visible), columns, JSON.stringify(line))
            assert.notMatch(visible, /[\u0000-\u001f]/)
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  it("colours only on request", () => {
    assert.notInclude(render(execution(), screen).join(""), "\u001b")
    assert.include(render(execution(), { ...screen, color: true }).join(""), "\u001b[34m")
  })
})

describe("table", () => {
  const columns = [
    { title: "A", cell: (row: string) => row },
    { title: "B", cell: () => "b".repeat(30), drop: 1 },
    { title: "C", cell: () => "c".repeat(30) }
  ]
  it("drops columns, then cuts the widest, to fit", () => {
    for (const width of [120, 60, 40, 20]) {
      for (const line of table(["one", "two"], columns, { width, paint: paint(false) }))
        assert.isAtMost(displayWidth(line), width)
    }
    assert.include(table(["one"], columns, { width: 120, paint: paint(false) })[0]!, "B")
    assert.notInclude(table(["one"], columns, { width: 60, paint: paint(false) })[0]!, "B")
  })
})

describe("a table with a last column that may be broken", () => {
  const columns = [
    { title: "STACK", cell: (row: string) => row },
    { title: "REASON", cell: () => "1 of 2 instances healthy (50%, at least 80%)", wrap: true }
  ]
  it("goes on below, and cuts nothing", () => {
    assert.deepEqual(table(["api"], columns, { width: 34, paint: paint(false) }), [
      "STACK  REASON",
      "api    1 of 2 instances healthy",
      "       (50%, at least 80%)"
    ])
  })
})

describe("words", () => {
  it.each([
    [0, "0ms"],
    [850, "850ms"],
    [12_000, "12s"],
    [250_000, "4m 10s"],
    [7_500_000, "2h 5m"],
    [273_600_000, "3d 4h"]
  ])("%d ms is %s", (millis, text) => assert.strictEqual(span(millis), text))
  it("removes control characters from foreign text", () => {
    assert.notMatch(plain("a\u001b[2Jb\nc\u0007"), /[\u0000-\u001f]/)
  })
  it("shows the reason for waiting in a heartbeat", () => {
    assert.match(heartbeat(execution(), at(30)), /still in progress after 30s: api in deployment for 28s/)
  })
})

describe("outcome", () => {
  it("shows the cause first, then what was done, then what to type", () => {
    const back: Execution.StackState = {
      ...done("api", "v1"),
      stages: [...stagesAt(undefined), { name: "rollback", status: "succeeded", startedAt: at(20), finishedAt: at(25) }]
    }
    const lines = outcome(
      execution({
        status: "rolled_back",
        finishedAt: at(40),
        stacks: [back, { ...done("database", "v2"), irreversible: "it migrates" }],
        error: failing("api: canary 50%: 12 errors")
      }),
      ink
    )
    assert.deepEqual(lines, [
      "↶ deploy DX6604E production v2: rolled back in 40s",
      "cause: api: canary 50%: 12 errors",
      "hint:  Read the log of its workflow run.",
      "done:  api is back at v1",
      "       database is never undone: it migrates",
      "next:  signalbox status 4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10",
      "       signalbox deploy DX6604E --environment production"
    ])
  })
  it("breaks a long cause between words, below its beginning", () => {
    const message = "api: canary 10%: 12 errors in 200 requests, the stable release none in 1800"
    const lines = outcome(execution({ status: "failed", finishedAt: at(40), stacks: [], error: failing(message) }), {
      ...ink,
      columns: 40
    })
    assert.deepEqual(lines.slice(1, 4), [
      "cause: api: canary 10%: 12 errors in 200",
      "       requests, the stable release none",
      "       in 1800"
    ])
  })
  it.each([
    [{ cause: causeInfo("paused_by", {}) }, "resume"],
    [{ cause: causeInfo("process_interrupted", {}) }, "attach"],
    [
      {
        questions: [
          { stack: "api" as never, question: saying("Go on?"), expiresAt: at(9), otherwise: "abort" as const }
        ]
      },
      "approve"
    ],
    [
      { questions: [{ stack: "api" as never, question: causeInfo("credentials_needed", { provider: "aws" }) }] },
      "attach"
    ]
  ])("paused, %j, it goes on with %s", (more, command) => {
    const lines = outcome(execution({ status: "paused", ...more }), ink)
    assert.include(lines, `next:  signalbox ${command} 4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10`)
  })
  it("shows the address of a stack", () => {
    const web = { ...done("web", "v2"), outputs: { port: 20_100, url: "http://127.0.0.1:20100" } }
    assert.include(
      outcome(execution({ status: "completed", finishedAt: at(9), stacks: [web] }), ink),
      "  web: deployed v2  http://127.0.0.1:20100"
    )
  })
  it("is short where all went well", () => {
    assert.deepEqual(outcome(execution({ status: "completed", finishedAt: at(9), stacks: [done("web", "v2")] }), ink), [
      "✔ deploy DX6604E production v2: completed in 9s",
      "  web: deployed v2"
    ])
  })
})

describe("an execution in full", () => {
  const state = execution({
    status: "rolled_back",
    finishedAt: at(40),
    reason: "the release of the week",
    stacks: [done("api", "v1"), stack("web")],
    verdicts: [verdict("api", "fail", "12 errors in 200 requests, at most 10 within 5 minutes are allowed")],
    error: failing("api: canary 50%: 12 errors")
  })
  const lines = executionLines(state, undefined, at(100), { ...ink, columns: 60 })

  it("shows the cause of a failure first, and what to type last", () => {
    assert.deepEqual(lines.slice(0, 3), [
      "↶ deploy DX6604E production v2: rolled back in 40s",
      "cause: api: canary 50%: 12 errors",
      "hint:  Read the log of its workflow run."
    ])
    assert.deepEqual(lines.slice(-2), [
      "next:  signalbox events 4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10",
      "       signalbox deploy DX6604E --environment production"
    ])
  })

  it("shows facts, stages, stacks and the sentences of its verdicts", () => {
    assert.include(lines, "id        4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10")
    assert.include(lines, "reason    the release of the week")
    assert.include(lines, "  ✔ health check    succeeded  1s")
    assert.include(lines, "api    ✔ deployed      v1       4s    local     –")
    assert.isTrue(lines.some((line) => line.startsWith("  ✖ api  canary 50%  fail  ")))
    assert.include(lines, "    12 errors in 200 requests, at most 10 within 5 minutes")
    assert.include(lines, "    are allowed")
    assert.isFalse(lines.some((line) => line.startsWith("runner")))
  })

  it("shows whether it has a runner, and its question, while it is in progress", () => {
    const waiting = execution({
      status: "paused",
      questions: [{ stack: "api" as never, question: saying("Go on to 50%?"), expiresAt: at(220), otherwise: "abort" }]
    })
    const shown = executionLines(waiting, undefined, at(100), ink)
    assert.include(shown, "runner    none is left")
    assert.include(shown, "  api: Go on to 50%? (2m left, then abort)")
    assert.include(shown, `next:  signalbox approve ${waiting.correlationId}`)
  })
})

describe("a table of executions", () => {
  const rows = [executionView(execution({ status: "completed", finishedAt: at(14) }), at(100))]
  const shown = (columns: number) => executionTable(rows, at(100), { ...ink, columns })

  it("stands on one line each if there is room, and never cuts an id", () => {
    assert.match(shown(140)[1]!, /^DX6604E .* ada +4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10$/)
    assert.match(shown(100)[1]!, /^production +deploy +✔ completed +v2 +1m 40s ago +14s +4f9d0f0e-.*2f10$/)
  })

  it("moves the id below if there is none, and keeps time and duration", () => {
    for (const columns of [80, 60]) {
      assert.match(shown(columns)[0]!, /ASKED +TOOK/)
      assert.match(shown(columns)[1]!, /1m 40s ago +14s/)
      assert.strictEqual(shown(columns)[2], "  4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10")
      for (const line of shown(columns)) assert.isAtMost(displayWidth(line), columns)
    }
  })
})

describe("the line of an event", () => {
  it("gives the warnings of a plan", () => {
    const plan = {
      action: "create",
      candidate: { id: "r2", version: "v2", configDigest: "" },
      checkpoint: { release: null, takenAt: at(0), data: null },
      changes: ["publish v2"],
      rollback: "remove the site",
      warnings: [],
      notices: [causeInfo("recorded_release_unseen", { version: "v1" })]
    } as const
    assert.match(
      sentence({ event: { _tag: "StackPlanned", stack: "api" as never, plan } } as never) ?? "",
      /^api: plan: publish v2; careful: the record says that v1 is deployed, but the provider sees no release/
    )
  })
})
