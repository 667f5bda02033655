import { describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import {
  CorrelationId,
  DeploymentId,
  deploymentMachine,
  Environment,
  EnvironmentName,
  type Event,
  type IllegalTransition,
  Machine,
  stackMachine,
  type StackName,
  StackSpec,
  type Timestamp
} from "../../src/domain/index.ts"
import { correlationId, requested, stacks, trigger, walk } from "./arbitraries.ts"

type State = Environment.EnvironmentState

const other = CorrelationId.make("walk-2")
const release = { id: "r2", version: "2.0.0", configDigest: "c2" }
const statuses = (state: State) => Object.fromEntries(state.stacks.map(({ name, status }) => [name, status]))

const begin: State = Result.getOrThrow(Environment.evolve(undefined, 0, correlationId, requested("deploy")))!

const choose = (state: State, which: number, choice: number): Event => {
  const stack: StackName = choice === 13 ? stacks.ghost : choice % 2 === 0 ? stacks.api : stacks.web
  const current = state.stacks.find(({ name }) => name === stack)
  switch (which) {
    case 0:
    case 1:
    case 2:
      return { _tag: "DeploymentTransitioned", on: trigger(deploymentMachine, state.status, choice) }
    case 3:
    case 4:
    case 5:
      return {
        _tag: "StackTransitioned",
        stack,
        on: trigger(stackMachine, current?.status ?? "not_deployed", choice),
        ...(choice % 3 === 0 ? { release: choice % 2 === 0 ? release : null } : {})
      }
    case 6:
      return { _tag: "CheckpointRecorded", stack, checkpoint: { release, takenAt: choice, data: null } }
    case 7:
      return { _tag: "OutputsRecorded", stack, outputs: { port: choice } }
    case 8:
      return { _tag: "ExecutionTransitioned", on: choice % 2 === 0 ? "completed" : "started" }
    default:
      return choice % 2 === 0 ? requested("deploy") : { _tag: "ProgressReported", stack, message: "on it" }
  }
}

const wander = (
  choices: ReadonlyArray<readonly [number, number]>,
  onStep: (
    before: State,
    event: Event,
    at: Timestamp,
    result: Result.Result<State | undefined, IllegalTransition>,
    by: CorrelationId
  ) => void
): State => {
  let state = begin
  choices.forEach(([which, choice], index) => {
    const event = choose(state, which, choice)
    const by = choice % 7 === 0 ? other : correlationId
    const result = Environment.evolve(state, index + 1, by, event)
    onStep(state, event, index + 1, result, by)
    if (Result.isSuccess(result)) state = result.success!
  })
  return state
}

const valid = Schema.is(Environment.EnvironmentState)

describe("a deployment in an environment", () => {
  it.prop("stays a legal state, whatever comes, and JSON brings it back", [walk], ([choices]) => {
    const end = wander(choices, (_, event, __, result) => {
      if (Result.isSuccess(result)) expect(valid(result.success), event._tag).toBe(true)
    })
    const codec = Schema.toCodecJson(Environment.EnvironmentState)
    const text = JSON.stringify(Schema.encodeSync(codec)(end))
    expect(Schema.decodeUnknownSync(codec)(JSON.parse(text))).toEqual(end)
  })

  it.prop("changes its status by the table, and only by the current execution", [walk], ([choices]) => {
    wander(choices, (before, event, at, result, by) => {
      if (event._tag !== "DeploymentTransitioned") {
        if (Result.isSuccess(result)) expect(result.success!.status).toBe(before.status)
        return
      }
      const next = Machine.next(deploymentMachine, before.status, event.on)
      const may = before.current === null || before.current === by
      expect(Result.isSuccess(result)).toBe(may && Option.isSome(next))
      if (Result.isSuccess(result)) {
        expect(Option.some(result.success!.status)).toEqual(next)
        expect(result.success!.updatedAt).toBe(at)
      }
    })
  })

  it.prop("changes a stack by the table alone, and that stack alone", [walk], ([choices]) => {
    wander(choices, (before, event, at, result) => {
      if (event._tag !== "StackTransitioned") {
        if (Result.isSuccess(result)) expect(statuses(result.success!)).toEqual(statuses(before))
        return
      }
      const stack = before.stacks.find(({ name }) => name === event.stack)
      const next = stack === undefined ? Option.none() : Machine.next(stackMachine, stack.status, event.on)
      expect(Result.isSuccess(result)).toBe(Option.isSome(next))
      if (Result.isFailure(result) || Option.isNone(next)) return
      expect(result.success!.stacks).toEqual(
        before.stacks.map((one) =>
          one.name === event.stack
            ? {
                ...one,
                status: next.value,
                release: event.release === undefined ? one.release : event.release,
                updatedAt: at
              }
            : one
        )
      )
    })
  })

  it.prop(
    "remembers permanently that a good release was deployed, and nothing else makes it so",
    [walk],
    ([choices]) => {
      wander(choices, (before, event, _, result) => {
        if (Result.isFailure(result)) return
        const good = event._tag === "DeploymentTransitioned" && ["deployed", "partial"].includes(result.success!.status)
        expect(result.success!.everDeployed).toBe(before.everDeployed || good)
      })
    }
  )

  it.prop("returns the same object for events that say nothing of it", [walk], ([choices]) => {
    wander(choices, (before, event, _, result) => {
      if (event._tag === "ProgressReported") expect(Result.getOrThrow(result)).toBe(before)
    })
  })

  it("exists from its first request on", () => {
    const nothing = Environment.evolve(undefined, 1, correlationId, {
      _tag: "DeploymentTransitioned",
      on: "deploy_started"
    })
    expect(Result.getOrThrow(nothing)).toBeUndefined()
    expect(begin).toMatchObject({
      status: "initialized",
      everDeployed: false,
      current: correlationId,
      last: correlationId
    })
    expect(statuses(begin)).toEqual({ api: "not_deployed", web: "not_deployed" })
  })

  it("keeps its knowledge of its stacks at a new request, and adds new ones", () => {
    const moved = Result.getOrThrow(
      Environment.evolve(begin, 1, correlationId, {
        _tag: "StackTransitioned",
        stack: stacks.api,
        on: "deploy_started"
      })
    )
    const request = requested("deploy")
    const worker = Schema.decodeUnknownSync(StackSpec)({ name: "worker", provider: "disk" })
    const again = Result.getOrThrow(
      Environment.evolve(moved, 2, other, {
        ...request,
        correlationId: other,
        spec: { ...request.spec, stacks: [...request.spec.stacks, worker] }
      })
    )!
    expect(statuses(again)).toEqual({ api: "deploying", web: "not_deployed", worker: "not_deployed" })
    expect(again).toMatchObject({ current: other, last: other, status: begin.status })
    const providers = (state: State) => state.stacks.map(({ name, provider }) => [name, provider])
    const moving = {
      ...request,
      correlationId: other,
      spec: { ...request.spec, stacks: [{ ...worker, name: stacks.web }] }
    }
    const elsewhere = Result.getOrThrow(Environment.evolve(again, 3, other, moving))!
    expect(providers(again)).toContainEqual(["web", "memory"])
    expect(providers(elsewhere)).toEqual(providers(again).map(([name, was]) => [name, name === "web" ? "disk" : was]))
  })

  it.each(["completed", "failed", "rolled_back", "cancelled"] as const)("is idle once its execution is %s", (on) => {
    const moved: Event = { _tag: "ExecutionTransitioned", on }
    expect(Result.getOrThrow(Environment.evolve(begin, 1, correlationId, moved))).toMatchObject({
      current: null,
      last: correlationId
    })
    expect(Result.getOrThrow(Environment.evolve(begin, 1, other, moved))).toBe(begin)
  })

  it("has a current execution until that has ended", () => {
    for (const on of ["started", "paused", "resumed", "rollback_started"] as const) {
      expect(
        Result.getOrThrow(Environment.evolve(begin, 1, correlationId, { _tag: "ExecutionTransitioned", on }))
      ).toBe(begin)
    }
  })
})

describe("a deployment", () => {
  it("begins as it was initialized", () => {
    const fields = {
      deploymentId: DeploymentId.make("DX6604E"),
      organization: "acme",
      project: "shop",
      template: "default",
      environments: [EnvironmentName.make("production")],
      stacks: [stacks.api]
    }
    const deployment = Environment.beginDeployment(7, { _tag: "DeploymentInitialized", ...fields, by: "ada" })
    expect(deployment).toEqual({ ...fields, createdAt: 7 })
  })
})
