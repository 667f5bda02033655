import { assert, describe, it } from "@effect/vitest"
import { Estimate, EstimateExecution, EstimatePath, EstimateRun, EstimateSample } from "@signalbox/core/analysis"
import type { DeploymentId, Execution, StoredEvent } from "@signalbox/core/spi"
import { seeded } from "./chance.ts"
import { asOf, executionOf, historyOf, type Made } from "./runs.ts"

const minute = 60_000
const { enough } = Estimate

const stack = (name: string, deployment: number, more: Partial<Made> = {}): Made => ({
  name,
  stages: [1_000, 1_000, deployment, 10_000],
  ...more
})

const runOf = (stacks: ReadonlyArray<Made>, place: { readonly deploymentId?: string } = {}) => {
  const state = executionOf({ id: "now", at: 1e12, stacks, ...place })
  return EstimateRun.ofState(state, state.finishedAt!)
}

const remaining = (
  run: EstimateRun.Run,
  elapsedMs: number,
  history: ReadonlyArray<EstimateRun.Run>,
  plan?: EstimatePath.Plan
) => EstimateExecution.remaining(EstimateRun.cut(run, elapsedMs), EstimateExecution.past(history), plan)

describe("the line of time of an execution", () => {
  it("leaves out the time in which it waited for people, in its stages and as a whole", () => {
    const asked = runOf([stack("api", minute, { waitMs: 5 * minute }), stack("web", minute)])
    const unasked = runOf([stack("api", minute), stack("web", minute)])
    assert.strictEqual(asked.elapsedMs, unasked.elapsedMs)
    assert.deepEqual(
      asked.spans.map(({ ms }) => ms),
      unasked.spans.map(({ ms }) => ms)
    )
  })

  it("leaves out pauses", () => {
    const state = executionOf({ id: "now", at: 0, stacks: [stack("api", minute), stack("web", minute)] })
    const later = (at: number) => (at <= 30_000 ? at : at + 5 * minute)
    const shifted = (stages: ReadonlyArray<Execution.StageState>) =>
      stages.map((one) => ({ ...one, startedAt: later(one.startedAt!), finishedAt: later(one.finishedAt!) }))
    const paused = {
      ...state,
      finishedAt: later(state.finishedAt!),
      pauses: [{ from: 30_000, to: 30_000 + 5 * minute }],
      stages: shifted(state.stages),
      stacks: state.stacks.map((one) => ({ ...one, stages: shifted(one.stages) }))
    }
    const { spans } = EstimateRun.ofState(state, state.finishedAt!)
    assert.deepEqual(EstimateRun.ofState(paused, paused.finishedAt).spans, spans)
    const { elapsedMs } = EstimateRun.ofState({ ...asOf(state, 30_000), pauses: [{ from: 30_000 }] }, 5 * minute)
    assert.strictEqual(elapsedMs, 30_000)
  })

  it("stands still while waiting for a person", () => {
    const state = executionOf({ id: "now", at: 0, stacks: [stack("web", minute)] })
    const [web] = state.stacks
    const at = (now: number) => {
      const { finishedAt: _, ...rest } = state
      const stages = web!.stages.map((stage) => {
        const { finishedAt: _, ...open } = stage
        return stage.name === "deployment" ? { ...open, status: "waiting" as const, waitingSince: 20_000 } : stage
      })
      return EstimateRun.ofState({ ...rest, status: "paused", stacks: [{ ...web!, stages: stages.slice(0, 3) }] }, now)
    }
    assert.strictEqual(at(30_000).elapsedMs, 20_000)
    assert.strictEqual(at(3_000_000).elapsedMs, 20_000)
  })

  it("may use one with another strategy, other stacks, or nothing to do, only before that is known", () => {
    const idle = { ...stack("web", 1), idle: true }
    const mayBe = (live: ReadonlyArray<Made>, over: ReadonlyArray<Made>, elapsedMs = 5_000) =>
      EstimateRun.mayBe(EstimateRun.cut(runOf(live), elapsedMs), runOf(over))
    const web = [stack("web", minute)]
    assert.isTrue(mayBe(web, [stack("web", 2)]))
    assert.isFalse(mayBe(web, [stack("web", 1, { strategy: "rolling" })]))
    assert.isFalse(mayBe(web, [stack("web", 1), stack("api", 1)]))
    // That there is nothing to do turns out when a stack is planned, and its strategy matters no more.
    assert.isTrue(mayBe(web, [idle], 500))
    assert.isFalse(mayBe(web, [idle]))
    assert.isTrue(mayBe([idle], web, 500))
    assert.isFalse(mayBe([idle], web, 1_500))
    assert.isTrue(mayBe([idle], [{ ...idle, strategy: "rolling" }], 1_500))
  })

  it("of a finished one knows no more of a moment than was known then", () => {
    const random = seeded(7)
    const stacks = () => [
      { ...stack("api", minute * (1 + random())), idle: random() < 0.5 },
      stack("web", minute * (1 + random()))
    ]
    const past = historyOf(60, stacks)
    let covered = 0
    const rounds = 300
    for (let round = 0; round < rounds; round++) {
      const state = executionOf({ id: "now", at: 1e12, stacks: stacks() })
      const over = EstimateRun.ofState(state, state.finishedAt!)
      for (const elapsedMs of [0, 500, 1_500, 30_000]) {
        const live = EstimateRun.ofState(asOf(state, state.startedAt! + elapsedMs), state.startedAt! + elapsedMs)
        const estimate = EstimateExecution.remaining(live, EstimateExecution.past(past))
        assert.deepEqual(remaining(over, elapsedMs, past), estimate)
        if (elapsedMs === 0 && estimate.low! <= over.elapsedMs && over.elapsedMs <= estimate.high!) covered += 1
      }
    }
    assert.closeTo(covered / rounds, 0.8, 0.07)
  })
})

describe("remaining time of an execution", () => {
  const two = (n: number): ReadonlyArray<Made> => [stack("api", minute + n * 100), stack("web", 2 * minute + n * 100)]

  it("comes from executions that did the same work", () => {
    const estimate = remaining(runOf(two(10)), 0, historyOf(20, two))
    assert.deepInclude(estimate, { basis: "history", scope: "environment", n: 20 })
    assert.closeTo(estimate.point!, 3 * minute + 22_000 + 2_000, 500)
  })

  it("comes from their remaining time after the last stage that ended", () => {
    // api takes one minute or five; once it is done, that no longer matters.
    const api = (n: number) => (n % 2 === 0 ? minute : 5 * minute)
    const history = historyOf(20, (n) => [stack("api", api(n)), stack("web", 2 * minute + n * 100)])
    const run = runOf([stack("api", 5 * minute), stack("web", 2 * minute)])
    assert.isAbove(remaining(run, 0, history).high! - remaining(run, 0, history).low!, 3 * minute)
    const later = remaining(run, 5 * minute + 2_000, history)
    assert.isBelow(later.high! - later.low!, 3_000)
    assert.closeTo(later.point!, 2 * minute + 21_000, 1_000)
  })

  it("is longer once it takes longer than most, and unknown once it takes longer than all", () => {
    const history = historyOf(20, (n) => [stack("web", n % 2 === 0 ? minute : 5 * minute)])
    const run = runOf([stack("web", 10 * minute)])
    assert.isAtMost(remaining(run, 10_000, history).low!, minute + 10_000)
    assert.isAtLeast(remaining(run, 2 * minute, history).low!, 3 * minute)
    assert.deepInclude(remaining(run, 6 * minute, history), { basis: "exceeded", point: null, n: 20 })
  })

  it("goes by other environments where this one has few", () => {
    const here = historyOf(3, two)
    const there = historyOf(20, two, { environment: "staging" })
    assert.deepInclude(remaining(runOf(two(1)), 0, [...here, ...there]), {
      basis: "history",
      scope: "deployment",
      n: 23
    })
  })

  it("goes by the stages of other deployments where this one has few", () => {
    const others = historyOf(20, two, { deploymentId: "DOTHER0" })
    const estimate = remaining(runOf(two(1)), 0, others, {
      stacks: [
        { name: "api", dependsOn: [] },
        { name: "web", dependsOn: ["api"] }
      ],
      parallelism: 4
    })
    assert.deepInclude(estimate, { basis: "history", scope: "strategy", n: 20 })
    assert.isAtLeast(estimate.low!, 2 * minute)
    assert.isAtMost(estimate.high!, 4 * minute + 20_000)
  })

  it("is 20 % around the mean after three, and nothing before the first", () => {
    const few = remaining(runOf(two(1)), 0, historyOf(3, two))
    assert.deepInclude(few, { basis: "few", n: 3 })
    assert.closeTo(few.low!, 0.8 * few.point!, 1)
    assert.closeTo(few.high!, 1.2 * few.point!, 1)
    assert.deepInclude(remaining(runOf(two(1)), 0, []), { basis: "none", point: null })
  })

  it("of few is as uncertain late as early, as a whole and by its stages", () => {
    // Each of the nine took a minute and 12 to 20 seconds, in which api was over at once.
    const nine = (n: number) => [stack("web", minute + n * 1_000)]
    for (const history of [historyOf(3, nine), historyOf(9, nine), historyOf(9, nine, { deploymentId: "DOTHER0" })]) {
      const late = remaining(runOf([stack("web", 2 * minute)]), 2_000 + minute + 500, history)
      assert.strictEqual(late.basis, "few")
      assert.isBelow(late.n, enough)
      assert.closeTo(late.high! - late.point!, 0.2 * (minute + 15_000), 2_000)
    }
  })

  it("is of nine with an interval only where nine of them say so", () => {
    // The last stage of all but three was not seen.
    const history = historyOf(12, (n) => [stack("web", minute + n * 1_000)]).map((run, index) =>
      index < 9 ? { ...run, spans: run.spans.filter(({ stage }) => stage !== "health_check") } : run
    )
    assert.deepInclude(remaining(runOf([stack("web", minute)]), 1_500, history), { basis: "few", n: 3 })
    for (let elapsedMs = 0; elapsedMs < 90_000; elapsedMs += 500) {
      for (const count of [9, 10, 12]) {
        const past = historyOf(count, (n) => [stack("web", minute + n * 1_000)])
        const { basis, high, low } = remaining(runOf([stack("web", 2 * minute)]), elapsedMs, past)
        if (basis === "history") assert.isAbove(high! - low!, 1_000)
      }
    }
  })

  it("knows stages that took no time", () => {
    const none = (): Made => ({ name: "web", stages: [0, 1_000, minute, 10_000] })
    assert.deepInclude(
      remaining(
        runOf([none()]),
        0,
        historyOf(3, () => [none()])
      ),
      { basis: "few", point: 71_000 }
    )
  })

  it("does not come from stages if all of them are over", () => {
    const run = runOf(two(1))
    assert.deepInclude(remaining(run, run.elapsedMs, historyOf(20, two, { deploymentId: "DOTHER0" })), {
      basis: "none"
    })
  })

  it("counts only the latest: durations that changed are forgotten", () => {
    const history = historyOf(100, (n) => [stack("web", n < 50 ? 10 * minute : minute)])
    assert.isBelow(remaining(runOf([stack("web", minute)]), 0, history).high!, 2 * minute)
  })
})

describe("remaining time of a command", () => {
  const commands = (count: number, command: string, ms: number) =>
    historyOf(count, () => []).map((run, index): EstimateRun.Run => ({
      ...run,
      correlationId: `${command}${index}` as typeof run.correlationId,
      kind: "run",
      command,
      elapsedMs: ms + index * 1_000,
      endedAt: run.startedAt + ms
    }))
  const left = (history: ReadonlyArray<EstimateRun.Run>, command = "make deploy") => {
    const { endedAt: _, ...run } = commands(1, command, 0)[0]!
    return EstimateExecution.remaining(run, EstimateExecution.past(history))
  }

  it("comes from few from the first on, though it has no stacks", () => {
    assert.deepInclude(left([]), { basis: "none" })
    assert.deepInclude(left(commands(3, "make deploy", minute)), { basis: "few", point: 61_000, n: 3 })
  })

  it("comes from the same line if there are enough of it, otherwise from all of the project", () => {
    const others = commands(20, "make migrate", 30 * minute)
    assert.isBelow(left([...others, ...commands(9, "make deploy", minute)]).high!, 2 * minute)
    assert.deepInclude(left([...others, ...commands(8, "make deploy", minute)]), { scope: "deployment", n: 28 })
    assert.deepInclude(left([...others.slice(0, 5), ...commands(3, "make deploy", minute)]), { point: 61_000, n: 3 })
  })
})

describe("the longest path", () => {
  const stacks = ["a", "b", "c", "d"].map((name) => stack(name, minute))
  const history = historyOf(20, () => stacks, { deploymentId: "DOTHER0" })
  const run = runOf(stacks)
  const left = (plan: EstimatePath.Plan) =>
    EstimatePath.remaining(EstimateRun.cut(run, 0), history.flatMap(EstimateSample.ofRun), plan).point
  // Preparing takes two seconds, and validating ten.
  const others = 12_000
  const nodes = (dependsOn: Readonly<Record<string, ReadonlyArray<string>>>) =>
    ["a", "b", "c", "d"].map((name) => ({ name, dependsOn: dependsOn[name] ?? [] }))

  it("is the graph's if there is room", () => {
    assert.strictEqual(left({ stacks: nodes({}), parallelism: 4 }), minute + others)
    assert.strictEqual(
      left({ stacks: nodes({ b: ["a"], c: ["a"], d: ["b", "c"] }), parallelism: 4 }),
      3 * minute + others + 2 * 10_000
    )
    assert.strictEqual(
      left({ stacks: nodes({ b: ["a"], c: ["b"], d: ["c"] }), parallelism: 4 }),
      4 * minute + others + 3 * 10_000
    )
  })

  it("is longer where only some are worked on at once", () => {
    // Preparing and validating take a second, a second and ten in each round.
    assert.strictEqual(left({ stacks: nodes({}), parallelism: 2 }), 2 * (minute + others))
    assert.strictEqual(left({ stacks: nodes({}), parallelism: 1 }), 4 * (minute + others))
  })
})

describe("durations to go by", () => {
  const samples = historyOf(12, (n) => [stack("web", minute + n)]).flatMap(EstimateSample.ofRun)
  const key: EstimateSample.Key = {
    deploymentId: "DSHOP00",
    environment: "production",
    stack: "web",
    provider: "simulated",
    stage: "deployment",
    strategy: "canary"
  }
  const scopeOf = (changes: Partial<EstimateSample.Key>, atLeast?: number) => {
    const { n, scope } = EstimateSample.pooled(samples, { ...key, ...changes }, atLeast)
    return `${scope} ${n}`
  }

  it("are of increasingly general kinds, as far as necessary", () => {
    assert.strictEqual(scopeOf({}), "environment 12")
    assert.strictEqual(scopeOf({ environment: "staging" }), "deployment 12")
    assert.strictEqual(scopeOf({ stack: "api" }), "strategy 12")
    assert.strictEqual(scopeOf({ deploymentId: "DOTHER0" as DeploymentId }), "strategy 12")
    assert.strictEqual(scopeOf({ strategy: "rolling" }), "provider 12")
    assert.strictEqual(scopeOf({ provider: "other" }), "stage 12")
    assert.strictEqual(scopeOf({ stage: "destruction" }), "all 12")
  })

  it("are of the most specific existing kind if none has enough", () => {
    assert.strictEqual(scopeOf({}, 13), "environment 12")
  })

  it("of one execution count for one", () => {
    const six = historyOf(6, () => [stack("api", minute), stack("web", minute)]).flatMap(EstimateSample.ofRun)
    const pooled = (all: ReadonlyArray<EstimateSample.Sample>) => {
      const { n, samples: found, scope } = EstimateSample.pooled(all, { ...key, stack: "other" })
      return [scope, n, found.length]
    }
    assert.deepEqual(pooled(six), ["strategy", 6, 12])
    const rolling = historyOf(9, () => [stack("api", minute, { strategy: "rolling" })], { deploymentId: "DOTHER0" })
    const others = rolling.map((run, index) => ({ ...run, correlationId: `o${index}` as typeof run.correlationId }))
    assert.deepEqual(pooled([...six, ...others.flatMap(EstimateSample.ofRun)]), ["provider", 15, 21])
  })
})

describe("stacks of the same kind in one execution", () => {
  const key = { deploymentId: "DSHOP00", environment: "production", stack: "new", provider: "simulated" }

  it("do not replace other executions", () => {
    const history = historyOf(100, () => ["a", "b", "c", "d", "e"].map((name) => stack(name, minute)))
    const samples = history.flatMap(EstimateSample.ofRun)
    const pool = EstimateSample.pooled(samples, { ...key, stage: "deployment", strategy: "canary" })
    assert.deepEqual([pool.scope, pool.n, pool.samples.length], ["strategy", 40, 200])
  })

  it("are each equally likely to be like the new one", () => {
    const history = historyOf(40, (n) => [stack("short", 10_000 + n * 10), stack("long", 100_000 + n * 10)])
    const estimate = remaining(runOf([stack("new", 50_000)]), 0, history)
    assert.strictEqual(estimate.basis, "history")
    assert.isBelow(estimate.low!, 25_000)
    assert.isAbove(estimate.high!, 110_000)
  })
})

describe("a way back", () => {
  it("uses the durations of rollbacks, for the touched stacks", () => {
    const back = Array.from({ length: 12 }, (_, n): EstimateSample.Sample => ({
      execution: `b${n}`,
      deploymentId: "DSHOP00",
      environment: "production",
      stack: "web",
      provider: "simulated",
      strategy: "canary",
      stage: "rollback",
      ms: 30_000 + n,
      at: n
    }))
    const run = { ...EstimateRun.cut(runOf([stack("web", minute), stack("later", minute)]), 30_000), rollingBack: true }
    const estimate = EstimateExecution.remaining(run, { runs: [], samples: back })
    assert.deepInclude(estimate, { basis: "history", scope: "environment", n: 12 })
    assert.closeTo(estimate.point!, 30_006, 3)
  })
})

describe("durations of an execution", () => {
  it("come from its stages and, from its events, from its resources", () => {
    const state = executionOf({ id: "now", at: 0, stacks: [stack("web", minute)] })
    const seen = (at: number, resource: string, done: boolean): StoredEvent =>
      ({
        at,
        event: {
          _tag: "ProgressReported",
          stack: "web",
          message: `${resource} ${done}`,
          resource,
          resourceType: "Process",
          ...(done ? { done } : {})
        }
      }) as StoredEvent
    const events = [
      seen(3_000, "p1", false),
      seen(4_000, "p1", false),
      seen(5_000, "p2", false),
      seen(9_000, "p1", true)
    ]
    const samples = EstimateSample.samplesOf(state, events)
    assert.deepEqual(
      samples.map(({ ms, resourceType, stage }) => [resourceType ?? stage, stage, ms]),
      [
        ["initialization", "initialization", 1_000],
        ["health_check", "health_check", 1_000],
        ["deployment", "deployment", minute],
        ["validation", "validation", 10_000],
        ["Process", "deployment", 6_000]
      ]
    )
  })
})
