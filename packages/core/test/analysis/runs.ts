import { EstimateRun } from "@signalbox/core/analysis"
import type { CorrelationId, DeploymentId, EnvironmentName, Execution, StackName } from "@signalbox/core/spi"

/**
 * How long each stage of a stack works, and how long a person is waited for within its deployment; with `idle`, it has
 * nothing to do after `health_check`.
 */
export interface Made {
  readonly name: string
  readonly provider?: string
  readonly strategy?: Execution.StackState["strategy"]
  readonly stages: readonly [initialization: number, health_check: number, deployment: number, validation: number]
  readonly waitMs?: number
  readonly idle?: boolean
}

const names = ["initialization", "health_check", "deployment", "validation"] as const
const release = { id: "r1", version: "1", configDigest: "c" }
const candidate = { ...release, id: "r2" }
const skips = ({ idle }: Made, index: number): boolean => idle === true && index >= 2

const inOrder: ReadonlySet<string> = new Set(["deployment", "validation"])

/**
 * An execution whose stacks are worked on one after the other in `deployment` and `validation`, and side by side in the
 * other stages.
 */
export const executionOf = (options: {
  readonly id: string
  readonly at: number
  readonly stacks: ReadonlyArray<Made>
  readonly deploymentId?: string
  readonly environment?: string
}): Execution.ExecutionState => {
  const { at, id, stacks } = options
  const begins = new Map<string, number>()
  const stages: Array<Execution.StageState> = []
  let clock = at
  names.forEach((name, index) => {
    const startedAt = clock
    let end = clock
    for (const stack of stacks) {
      const took = skips(stack, index)
        ? 0
        : Math.round(stack.stages[index]!) + (name === "deployment" ? (stack.waitMs ?? 0) : 0)
      begins.set(`${stack.name}/${name}`, inOrder.has(name) ? end : startedAt)
      end = Math.max(end, begins.get(`${stack.name}/${name}`)! + took)
    }
    clock = end
    stages.push({ name, status: "succeeded", startedAt, finishedAt: end })
  })
  return {
    correlationId: id as CorrelationId,
    deploymentId: (options.deploymentId ?? "DSHOP00") as DeploymentId,
    environment: (options.environment ?? "production") as EnvironmentName,
    kind: "deploy",
    status: "completed",
    deploymentBefore: "deployed",
    by: "tester",
    requestedAt: at,
    startedAt: at,
    finishedAt: clock,
    stages,
    stacks: stacks.map((stack) => ({
      name: stack.name as StackName,
      provider: stack.provider ?? "simulated",
      strategy: stack.strategy ?? "canary",
      status: "deployed",
      release,
      candidate: stack.idle === true ? release : null,
      candidateTraffic: 0,
      checkpoint: { release, takenAt: at, data: null },
      outputs: {},
      stages: names.map((name, index) => {
        const startedAt = begins.get(`${stack.name}/${name}`)!
        if (skips(stack, index)) return { name, status: "skipped" }
        const waitedMs = name === "deployment" ? (stack.waitMs ?? 0) : 0
        return {
          name,
          status: "succeeded",
          startedAt,
          finishedAt: startedAt + Math.round(stack.stages[index]!) + waitedMs,
          ...(waitedMs === 0 ? {} : { waitedMs })
        }
      })
    })),
    verdicts: [],
    questions: []
  }
}

/** What the log said of a finished execution, at a moment while it was in progress. */
export const asOf = (state: Execution.ExecutionState, at: number): Execution.ExecutionState => {
  const { finishedAt: _, ...rest } = state
  const known = (stages: ReadonlyArray<Execution.StageState>) =>
    stages.map(({ finishedAt, startedAt, ...stage }): Execution.StageState => {
      if (startedAt === undefined || startedAt > at) return { ...stage, status: "pending" }
      return finishedAt! > at
        ? { ...stage, startedAt, status: "running" }
        : { ...stage, startedAt, finishedAt: finishedAt! }
    })
  return {
    ...rest,
    status: "in_progress",
    stages: known(state.stages),
    stacks: state.stacks.map((stack) => {
      const stages = known(stack.stages)
      const planned = stages[0]!.finishedAt !== undefined
      return { ...stack, stages, candidate: planned ? (stack.candidate ?? candidate) : null }
    })
  }
}

/** The same before its admission. */
export const waiting = (state: Execution.ExecutionState): Execution.ExecutionState => {
  const { finishedAt: _, startedAt: __, ...rest } = asOf(state, -1)
  return { ...rest, status: "queued", queue: "fifo" }
}

/** Executions one after the other, an hour between their starts. */
export const historyOf = (
  count: number,
  stacksOf: (index: number) => ReadonlyArray<Made>,
  place: { readonly deploymentId?: string; readonly environment?: string } = {}
): ReadonlyArray<EstimateRun.Run> =>
  Array.from({ length: count }, (_, index) => {
    const state = executionOf({ id: `x${index}`, at: index * 100_000_000, stacks: stacksOf(index), ...place })
    return EstimateRun.ofState(state, state.finishedAt!)
  })
