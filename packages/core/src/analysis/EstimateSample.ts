/**
 * Durations of single stages and resources, and which of them to use: the very same, or increasingly general kinds if
 * there are few of these.
 */
import type { StoredEvent } from "../domain/Event.ts"
import type { ExecutionState } from "../domain/Execution.ts"
import type { Timestamp } from "../domain/Ids.ts"
import { enough, type Scope } from "./Estimate.ts"
import * as Run from "./EstimateRun.ts"

/**
 * How long one stage of one stack took, or one resource within it: `ms` of work, ended at `at`, without waits for
 * people.
 */
export interface Sample {
  readonly execution: string
  readonly deploymentId: string
  readonly environment: string
  readonly stack: string
  readonly provider: string
  readonly resourceType?: string
  readonly stage: string
  readonly strategy?: string
  readonly ms: number
  readonly at: Timestamp
}

/** The question: a sample without its duration. */
export type Key = Omit<Sample, "ms" | "at" | "execution">

/** The stages that a run has ended. */
export const ofRun = (run: Run.Run): ReadonlyArray<Sample> =>
  run.spans.flatMap(({ ms, provider, stack, stage, strategy, to }) =>
    stack === null || to === undefined
      ? []
      : [
          {
            execution: run.correlationId,
            deploymentId: run.deploymentId,
            environment: run.environment,
            stack,
            provider,
            stage,
            ...(strategy === undefined ? {} : { strategy }),
            ms,
            at: run.startedAt + to
          }
        ]
  )

/**
 * The durations of an execution: the successful stages of its stacks and, if its events are given, its resources from
 * their first appearance until they were done.
 */
export const samplesOf = (state: ExecutionState, events: ReadonlyArray<StoredEvent> = []): ReadonlyArray<Sample> => {
  const run = Run.ofState(state, state.finishedAt ?? state.requestedAt)
  const succeeded = new Set(
    state.stacks.flatMap(({ name, stages }) =>
      stages.filter(({ status }) => status === "succeeded").map((stage) => `${name}/${stage.name}`)
    )
  )
  return [
    ...ofRun(run).filter(({ stack, stage }) => succeeded.has(`${stack}/${stage}`)),
    ...resourcesOf(state, run, events)
  ]
}

const resourcesOf = (
  { stacks }: ExecutionState,
  run: Run.Run,
  events: ReadonlyArray<StoredEvent>
): ReadonlyArray<Sample> => {
  const first = new Map<string, Timestamp>()
  const stageOf = (stack: string, at: Timestamp): string =>
    stacks
      .find(({ name }) => name === stack)
      ?.stages.findLast(({ startedAt }) => startedAt !== undefined && startedAt <= at)?.name ?? "deployment"
  return events.flatMap(({ at, event }): ReadonlyArray<Sample> => {
    if (event._tag !== "ProgressReported" || event.resource === undefined || event.resourceType === undefined) return []
    const key = `${event.stack}/${event.resource}`
    const since = first.get(key) ?? at
    if (event.done !== true) {
      first.set(key, since)
      return []
    }
    first.delete(key)
    // If a clock was set back, the duration is unknown.
    if (at < since) return []
    const member = run.stacks.find(({ name }) => name === event.stack)
    return [
      {
        execution: run.correlationId,
        deploymentId: run.deploymentId,
        environment: run.environment,
        stack: event.stack,
        provider: member?.provider ?? "",
        resourceType: event.resourceType,
        stage: stageOf(event.stack, since),
        ...(member?.strategy === undefined ? {} : { strategy: member.strategy }),
        ms: at - since,
        at
      }
    ]
  })
}

const sameStack = (one: Key, other: Key) =>
  one.deploymentId === other.deploymentId && one.stack === other.stack && sameStrategy(one, other)
const sameStrategy = (one: Key, other: Key) => sameProvider(one, other) && one.strategy === other.strategy
const sameProvider = (one: Key, other: Key) => sameStage(one, other) && one.provider === other.provider
const sameStage = (one: Key, other: Key) => one.stage === other.stage && one.resourceType === other.resourceType

/** From the specific to the general. */
const levels: ReadonlyArray<readonly [Scope, (one: Key, other: Key) => boolean]> = [
  ["environment", (one, other) => one.environment === other.environment && sameStack(one, other)],
  ["deployment", sameStack],
  ["strategy", sameStrategy],
  ["provider", sameProvider],
  ["stage", sameStage]
]

/**
 * Which durations to use, the latest first, and their scope. `n` is the number of executions behind them: durations of
 * one execution resemble each other too much to count more than once.
 */
export interface Pool {
  readonly samples: ReadonlyArray<Sample>
  readonly scope: Scope
  readonly n: number
}

/** How many of the latest executions count: older ones may have been of another kind. */
export const latest = 40

const poolOf = (samples: ReadonlyArray<Sample>, scope: Scope, atLeast: number): Pool => {
  const newest = samples.toSorted((left, right) => right.at - left.at)
  const executions = new Set<string>()
  for (const { execution } of newest) {
    if (executions.size < Math.max(latest, atLeast)) executions.add(execution)
  }
  return { samples: newest.filter(({ execution }) => executions.has(execution)), scope, n: executions.size }
}

/**
 * The durations of the most specific kind that occurred in `atLeast` executions: the same stack with the same strategy
 * in the same environment; in any environment; the same provider, stage and strategy; the same provider and stage; the
 * same stage. If none did, the most specific kind that has any; all durations only if the stage was never seen.
 */
export const pooled = (samples: ReadonlyArray<Sample>, key: Key, atLeast = enough): Pool => {
  let specific: Pool | undefined
  for (const [scope, same] of levels) {
    const found = samples.filter((sample) => same(sample, key))
    if (found.length === 0) continue
    const pool = poolOf(found, scope, atLeast)
    if (pool.n >= atLeast) return pool
    specific ??= pool
  }
  return specific ?? poolOf(samples, "all", atLeast)
}
