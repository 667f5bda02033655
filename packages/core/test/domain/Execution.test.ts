import { causeInfo } from "@signalbox/core/spi"
import { describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import {
  type Event,
  type EventOf,
  Event as EventSchema,
  Execution,
  type ExecutionKind,
  executionMachine,
  type IllegalTransition,
  Machine,
  stackMachine,
  stageMachine,
  type StackName,
  type Timestamp,
  type Verdict
} from "../../src/domain/index.ts"
import { requested, stacks, trigger, walk } from "./arbitraries.ts"

type State = Execution.ExecutionState

const kinds: ReadonlyArray<ExecutionKind> = ["deploy", "deploy-stack", "rollback", "destroy", "run"]
const release = { id: "r2", version: "2.0.0", configDigest: "c2" }
const verdict = (stack: StackName, step: string, at: number): Verdict => ({
  stack,
  step,
  releaseId: release.id,
  verdict: "pass",
  findings: [causeInfo("health", { percent: 100 })],
  evidence: [],
  weight: 10,
  at
})

const freeze = <A>(value: A): A => {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

/** The event that two numbers choose in a state: legal mostly, sometimes not. */
const choose = (state: State, which: number, choice: number): Event => {
  const stack = choice === 13 ? stacks.ghost : choice % 2 === 0 ? stacks.api : stacks.web
  const current = state.stacks.find(({ name }) => name === stack)
  const stage = Execution.stagesOf("deploy")[choice % 4]!
  const statusOf = (stages: State["stages"]) => stages.find(({ name }) => name === stage)?.status ?? "pending"
  switch (which) {
    case 0:
    case 1:
      return {
        _tag: "ExecutionTransitioned",
        on: trigger(executionMachine, state.status, choice),
        cause: causeInfo("paused_by", {}, `because ${choice}`)
      }
    case 2:
    case 3:
      return {
        _tag: "StackTransitioned",
        stack,
        on: trigger(stackMachine, current?.status ?? "not_deployed", choice),
        ...(choice % 3 === 0 ? { release } : {})
      }
    case 4:
      return { _tag: "StageTransitioned", stage, on: trigger(stageMachine, statusOf(state.stages), choice) }
    case 5:
      return {
        _tag: "StageTransitioned",
        stage,
        stack,
        on: trigger(stageMachine, statusOf(current?.stages ?? []), choice)
      }
    case 6:
      return choice % 2 === 0
        ? {
            _tag: "ApprovalRequested",
            stack,
            question: causeInfo("canary_ready", { version: "2", weight: choice }),
            expiresAt: choice,
            otherwise: "abort"
          }
        : { _tag: "ApprovalResolved", stack, answer: "continue", expired: false }
    case 7:
      return { _tag: "VerdictReached", verdict: verdict(stack, `canary ${choice % 3}`, choice) }
    case 8:
      return choice % 2 === 0
        ? { _tag: "TrafficObserved", stack, shares: [{ releaseId: release.id, percent: choice }], candidate: choice }
        : {
            _tag: "StackPlanned",
            stack,
            plan: {
              action: "update",
              candidate: release,
              checkpoint: { release: null, takenAt: choice, data: null },
              changes: [],
              rollback: "",
              warnings: []
            }
          }
    default:
      return [
        { _tag: "RunnerClaimed" as const, runner: "host:1", fence: choice, resumed: false },
        { _tag: "CheckpointRecorded" as const, stack, checkpoint: { release, takenAt: choice, data: { choice } } },
        { _tag: "OutputsRecorded" as const, stack, outputs: { url: `http://localhost:${choice}` } },
        { _tag: "ProgressReported" as const, stack, message: `at ${choice}` },
        requested("deploy")
      ][choice % 5]!
  }
}

const begin = (kind: ExecutionKind): State => Result.getOrThrow(Execution.evolve(undefined, 0, requested(kind)))

interface Written {
  readonly at: Timestamp
  readonly event: Event
}

/** Folds the choices of two numbers each; rejected events go to `onStep` and are not written. */
const wander = (
  kind: ExecutionKind,
  choices: ReadonlyArray<readonly [number, number]>,
  onStep: (
    before: State,
    event: Event,
    at: Timestamp,
    result: Result.Result<State, IllegalTransition>
  ) => void = () => {}
): { readonly state: State; readonly written: ReadonlyArray<Written> } => {
  let state = freeze(begin(kind))
  const written: Array<Written> = [{ at: 0, event: requested(kind) }]
  choices.forEach(([which, choice], index) => {
    const at = index + 1
    const event = freeze(choose(state, which, choice))
    const result = Execution.evolve(state, at, event)
    onStep(state, event, at, result)
    if (Result.isFailure(result)) return
    state = freeze(result.success)
    written.push({ at, event })
  })
  return { state, written }
}

const fold = (written: ReadonlyArray<Written>): State | undefined =>
  written.reduce<State | undefined>(
    (state, { at, event }) => Result.getOrThrow(Execution.evolve(state, at, event)),
    undefined
  )

const valid = Schema.is(Execution.ExecutionState)

describe.each(kinds)("an execution of kind %s", (kind) => {
  it.prop("stays a legal state, whatever comes", [walk], ([choices]) => {
    wander(kind, choices, (_, event, __, result) => {
      if (Result.isSuccess(result)) expect(valid(result.success), event._tag).toBe(true)
    })
  })

  it.prop("changes its status by the table alone", [walk], ([choices]) => {
    wander(kind, choices, (before, event, _, result) => {
      if (event._tag === "ExecutionTransitioned") {
        const next = Machine.next(executionMachine, before.status, event.on)
        expect(Result.isSuccess(result)).toBe(Option.isSome(next))
        if (Result.isSuccess(result)) expect(Option.some(result.success.status)).toEqual(next)
        else expect(result.failure).toMatchObject({ machine: "execution", from: before.status, on: event.on })
      } else if (Result.isSuccess(result)) {
        expect(result.success.status).toBe(before.status)
      }
    })
  })

  it.prop("changes the status of a stack by the table alone, and of that stack alone", [walk], ([choices]) => {
    wander(kind, choices, (before, event, _, result) => {
      const statuses = (state: State) => Object.fromEntries(state.stacks.map(({ name, status }) => [name, status]))
      if (event._tag !== "StackTransitioned") {
        if (Result.isSuccess(result)) expect(statuses(result.success)).toEqual(statuses(before))
        return
      }
      const stack = before.stacks.find(({ name }) => name === event.stack)
      const next = stack === undefined ? Option.none() : Machine.next(stackMachine, stack.status, event.on)
      expect(Result.isSuccess(result)).toBe(Option.isSome(next))
      if (Result.isSuccess(result) && Option.isSome(next)) {
        expect(statuses(result.success)).toEqual({ ...statuses(before), [event.stack]: next.value })
        const after = result.success.stacks.find(({ name }) => name === event.stack)!
        expect(after.release).toEqual(event.release === undefined ? stack!.release : event.release)
        if (["deployed", "not_deployed", "destroyed"].includes(next.value)) {
          expect(after).toMatchObject({ candidate: null, candidateTraffic: 0 })
        }
      }
    })
  })

  it.prop("changes the status of a stage by the table alone, with its times", [walk], ([choices]) => {
    const stagesOf = (state: State, stack: StackName | undefined) =>
      stack === undefined ? state.stages : (state.stacks.find(({ name }) => name === stack)?.stages ?? [])
    wander(kind, choices, (before, event, at, result) => {
      if (event._tag !== "StageTransitioned") return
      const stage = stagesOf(before, event.stack).find(({ name }) => name === event.stage)
      const known = event.stack === undefined || before.stacks.some(({ name }) => name === event.stack)
      const next = known ? Machine.next(stageMachine, stage?.status ?? "pending", event.on) : Option.none()
      expect(Result.isSuccess(result)).toBe(Option.isSome(next))
      if (Result.isFailure(result) || Option.isNone(next)) return
      const after = stagesOf(result.success, event.stack).find(({ name }) => name === event.stage)!
      expect(after.status).toBe(next.value)
      expect(after.startedAt).toBe(event.on === "started" ? at : stage?.startedAt)
      expect(after.finishedAt).toBe(Machine.isTerminal(stageMachine, next.value) ? at : undefined)
    })
  })

  it.prop("has finished exactly when nothing can follow, and then has no questions", [walk], ([choices]) => {
    wander(kind, choices, (_, event, at, result) => {
      if (Result.isFailure(result)) return
      const state = result.success
      const over = ["completed", "failed", "rolled_back", "cancelled"].includes(state.status)
      expect(Execution.isFinished(state)).toBe(over)
      expect(state.finishedAt !== undefined).toBe(over)
      if (event._tag === "ExecutionTransitioned" && over) expect(state).toMatchObject({ finishedAt: at, questions: [] })
      if (event._tag === "ExecutionTransitioned" && event.on === "started") expect(state.startedAt).toBe(at)
    })
  })

  it.prop("is the same however its events are folded", [walk], ([choices]) => {
    const { state, written } = wander(kind, choices)
    expect(fold(written)).toEqual(state)
    expect(fold(written)).toEqual(fold(written))
    const half = written.slice(0, Math.ceil(written.length / 2))
    const resumed = written
      .slice(half.length)
      .reduce((before, { at, event }) => Result.getOrThrow(Execution.evolve(before, at, event)), fold(half)!)
    expect(resumed).toEqual(state)
  })

  it.prop("is the same after its events were stored as JSON", [walk], ([choices]) => {
    const codec = Schema.toCodecJson(EventSchema)
    const { state, written } = wander(kind, choices)
    const stored = written.map(({ at, event }) => ({ at, event: JSON.stringify(Schema.encodeSync(codec)(event)) }))
    const back = stored.map(({ at, event }) => ({ at, event: Schema.decodeUnknownSync(codec)(JSON.parse(event)) }))
    expect(fold(back)).toEqual(state)
    const stateCodec = Schema.toCodecJson(Execution.ExecutionState)
    const projection = JSON.stringify(Schema.encodeSync(stateCodec)(state))
    expect(Schema.decodeUnknownSync(stateCodec)(JSON.parse(projection))).toEqual(state)
  })
})

describe("walks", () => {
  it.effect("come to every status there is, so that the properties above are about something", () =>
    Effect.gen(function* () {
      const seen = { execution: new Set<string>(), stack: new Set<string>(), stage: new Set<string>(), refused: 0 }
      const walks = yield* Arbitrary.sampleEffect(walk, { count: 300, size: 60, seed: "every status" })
      for (const choices of walks) {
        wander("deploy", choices, (_, __, ___, result) => {
          if (Result.isFailure(result)) return void seen.refused++
          seen.execution.add(result.success.status)
          for (const { stages, status } of result.success.stacks) {
            seen.stack.add(status)
            for (const stage of stages) seen.stage.add(stage.status)
          }
        })
      }
      expect([...seen.execution].toSorted()).toEqual(executionMachine.states.toSorted())
      expect([...seen.stack].toSorted()).toEqual(stackMachine.states.toSorted())
      expect([...seen.stage].toSorted()).toEqual(stageMachine.states.toSorted())
      expect(seen.refused).toBeGreaterThan(100)
    })
  )
})

describe("an execution", () => {
  const next = (state: State, at: Timestamp, event: Event) => Execution.evolve(state, at, event)

  it("begins with its request and nothing else", () => {
    const refused = Execution.evolve(undefined, 1, { _tag: "ExecutionTransitioned", on: "started" })
    expect(Result.isFailure(refused) && refused.failure).toMatchObject({ from: "absent", on: "ExecutionTransitioned" })
    const state = begin("deploy")
    expect(state).toMatchObject({ status: "queued", requestedAt: 0, version: "2.0.0", by: "ada", questions: [] })
    expect(state.stacks.map(({ name, status, release }) => [name, status, release?.version ?? null])).toEqual([
      ["api", "deployed", "1.0.0"],
      ["web", "not_deployed", null]
    ])
    expect(state.stages.map(({ name }) => name)).toEqual(["initialization", "health_check", "deployment", "validation"])
  })

  it("is requested once", () => {
    expect(Result.isFailure(next(begin("deploy"), 1, requested("deploy")))).toBe(true)
  })

  it("leaves out the stacks that are not enabled", () => {
    const request = requested("deploy")
    const [api, web] = request.spec.stacks
    const spec = { ...request.spec, stacks: [api!, { ...web!, enabled: false }] }
    const state = Result.getOrThrow(Execution.evolve(undefined, 0, { ...request, spec }))
    expect(state.stacks.map(({ name }) => name)).toEqual(["api"])
  })

  it("keeps the latest verdict of each step", () => {
    const written: ReadonlyArray<Event> = [
      { _tag: "VerdictReached", verdict: verdict(stacks.api, "canary 10%", 1) },
      { _tag: "VerdictReached", verdict: verdict(stacks.api, "canary 50%", 2) },
      { _tag: "VerdictReached", verdict: { ...verdict(stacks.api, "canary 10%", 3), verdict: "fail" } },
      { _tag: "VerdictReached", verdict: verdict(stacks.web, "canary 10%", 4) }
    ]
    const state = written.reduce((state, event) => Result.getOrThrow(next(state, 1, event)), begin("deploy"))
    expect(state.verdicts.map(({ at, stack, step, verdict }) => [stack, step, verdict, at])).toEqual([
      ["api", "canary 50%", "pass", 2],
      ["api", "canary 10%", "fail", 3],
      ["web", "canary 10%", "pass", 4]
    ])
  })

  it("has one question of a stack at a time, and forgets it when it is answered or rolls back", () => {
    const ask = (stack: StackName, question: string): Event => ({
      _tag: "ApprovalRequested",
      stack,
      question: causeInfo("switch_ready", { version: question }),
      expiresAt: 9,
      otherwise: "abort"
    })
    const events: ReadonlyArray<Event> = [
      { _tag: "ExecutionTransitioned", on: "started" },
      ask(stacks.api, "10%?"),
      ask(stacks.web, "50%?"),
      ask(stacks.api, "100%?")
    ]
    const asked = events.reduce((state, event) => Result.getOrThrow(next(state, 1, event)), begin("deploy"))
    expect(asked.questions.map(({ question }) => question.params.version)).toEqual(["50%?", "100%?"])
    const answer: Event = { _tag: "ApprovalResolved", stack: stacks.web, answer: "continue", expired: false }
    const answered = Result.getOrThrow(next(asked, 2, answer))
    expect(answered.questions.map(({ question }) => question.params.version)).toEqual(["100%?"])
    const back = Result.getOrThrow(next(answered, 3, { _tag: "ExecutionTransitioned", on: "rollback_started" }))
    expect(back.questions).toEqual([])
  })

  it.each([
    ["deploy", "initialization health_check deployment validation"],
    ["deploy-stack", "initialization health_check deployment validation"],
    ["rollback", "initialization health_check rollback validation"],
    ["destroy", "initialization health_check destruction"],
    ["destroy-stack", "initialization health_check destruction"]
  ] as const)("of kind %s passes %s", (kind, stages) => {
    expect(Execution.stagesOf(kind).join(" ")).toBe(stages)
  })
})

describe("pauses", () => {
  const fold = (events: ReadonlyArray<readonly [number, Event]>): State =>
    events.reduce((state, [at, event]) => Result.getOrThrow(Execution.evolve(state, at, event)), begin("deploy"))
  const moved = (on: EventOf<"ExecutionTransitioned">["on"]): Event => ({ _tag: "ExecutionTransitioned", on })
  const stage = (on: EventOf<"StageTransitioned">["on"]): Event => ({
    _tag: "StageTransitioned",
    stage: "deployment",
    stack: stacks.web,
    on
  })

  it("are the times from an operator's pause on, until it is resumed or ends", () => {
    const twice = [
      [10, moved("started")],
      [20, moved("paused")],
      [50, moved("resumed")],
      [60, moved("paused")]
    ] as const
    expect(fold(twice.slice(0, 1)).pauses).toBeUndefined()
    expect(fold(twice).pauses).toEqual([{ from: 20, to: 50 }, { from: 60 }])
    expect(fold([...twice, [90, moved("cancelled")]]).pauses).toEqual([
      { from: 20, to: 50 },
      { from: 60, to: 90 }
    ])
  })

  it("are not where a question is open, but go on after its answer", () => {
    const asked = [
      [10, moved("started")],
      [10, stage("started")],
      [
        20,
        {
          _tag: "ApprovalRequested",
          stack: stacks.web,
          question: causeInfo("switch_ready", { version: "2" }),
          expiresAt: 99,
          otherwise: "abort"
        }
      ],
      [20, stage("waiting")],
      [20, moved("paused")],
      [50, { _tag: "ApprovalResolved", stack: stacks.web, answer: "continue", expired: false }],
      [50, stage("resumed")]
    ] as const
    expect(fold([...asked, [50, moved("resumed")]]).pauses).toBeUndefined()
    expect(fold([...asked, [70, moved("resumed")]]).pauses).toEqual([{ from: 50, to: 70 }])
  })
})
