/**
 * An execution as a timeline: when which stage began and ended, without the time in which it waited for people or was
 * paused.
 */
import type { ExecutionState, StackState, StageState } from "../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName, Timestamp } from "../domain/Ids.ts"
import type { ExecutionKind, StageName } from "../domain/Machines.ts"
import type { StrategyName } from "../domain/Spec.ts"

/**
 * One stage of one stack, or of the whole execution where `stack` is null.
 *
 * *Details*: `from` and `to` are milliseconds of work since the execution started; `to` is absent while it is in
 * progress. `ms` is how long it worked, without waits for people and pauses.
 */
export interface Span {
  readonly stack: StackName | null
  readonly provider: string
  readonly strategy: StrategyName | undefined
  readonly stage: StageName
  readonly from: number
  readonly to?: number
  readonly ms: number
}

/**
 * An execution as a timeline.
 *
 * *Details*: `elapsedMs` is how long it took, or has taken so far. `endedAt` is absent while it is in progress.
 * `command` is the line of a wrapped command.
 */
export interface Run {
  readonly correlationId: CorrelationId
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly kind: ExecutionKind
  readonly command?: string
  readonly rollingBack: boolean
  readonly stacks: ReadonlyArray<Member>
  readonly startedAt: Timestamp
  readonly endedAt?: Timestamp
  readonly elapsedMs: number
  readonly spans: ReadonlyArray<Span>
}

/** A stack of a run; `idle` if it has nothing to do, which is unknown until it is `planned`. */
export interface Member {
  readonly name: StackName
  readonly provider: string
  readonly strategy: StrategyName | undefined
  readonly idle: boolean
  readonly planned: boolean
}

/** A first release has nothing beside it and takes all traffic at once, whatever its strategy. */
const strategyOf = ({ checkpoint, release, strategy }: StackState): StrategyName | undefined =>
  (checkpoint === null ? release : checkpoint.release) === null ? "all_at_once" : strategy

const memberOf = (stack: StackState): Member => {
  const work = stack.stages.find(({ name }) => name === "deployment")
  const same = stack.candidate !== null && stack.candidate.id === stack.release?.id
  return {
    name: stack.name,
    provider: stack.provider,
    strategy: strategyOf(stack),
    idle: work?.status === "skipped" || (work?.status === "pending" && same),
    planned: stack.candidate !== null || work?.status !== "pending"
  }
}

/** A period of waiting for people, at an unknown moment between `from` and `to`. */
interface Wait {
  readonly from: Timestamp
  readonly to: Timestamp
  readonly ms: number
}

const waitedOf = ({ waitedMs = 0, waitingSince }: StageState, now: Timestamp): number =>
  waitedMs + (waitingSince === undefined ? 0 : Math.max(0, now - waitingSince))

/** Overlapping waits of stages count as one: of two simultaneous questions, the longer one counts. */
const waitsOf = (state: ExecutionState, now: Timestamp): ReadonlyArray<Wait> => {
  const all = state.stacks
    .flatMap(({ stages }) => stages)
    .flatMap((stage): ReadonlyArray<Wait> => {
      const ms = waitedOf(stage, stage.finishedAt ?? now)
      return stage.startedAt === undefined || ms === 0
        ? []
        : [{ from: stage.startedAt, to: stage.finishedAt ?? now, ms }]
    })
    .toSorted((left, right) => left.from - right.from)
  const merged: Array<Wait> = []
  for (const wait of all) {
    const last = merged.at(-1)
    if (last === undefined || wait.from >= last.to) merged.push(wait)
    else
      merged[merged.length - 1] = {
        from: last.from,
        to: Math.max(last.to, wait.to),
        ms: Math.max(last.ms, wait.ms)
      }
  }
  return merged
}

/**
 * The timeline of an execution that has started, finished or not.
 */
export const ofState = (state: ExecutionState, now: Timestamp): Run => {
  const startedAt = state.startedAt ?? now
  const waits = waitsOf(state, now)
  const { pauses = [] } = state
  const paused = (since: Timestamp, until: Timestamp): number =>
    pauses.reduce((sum, { from, to = now }) => sum + Math.max(0, Math.min(to, until) - Math.max(from, since)), 0)
  const workAt = (at: Timestamp): number => {
    const waited = waits.reduce(
      (sum, { from, ms, to }) => sum + (at >= to ? ms : Math.min(ms, Math.max(0, at - from))),
      0
    )
    return Math.max(0, at - startedAt - waited - paused(startedAt, at))
  }
  const members = state.stacks.map(memberOf)
  const spansOf = (stages: ReadonlyArray<StageState>, member: Member | undefined): ReadonlyArray<Span> =>
    stages.flatMap((stage) => {
      if (stage.startedAt === undefined) return []
      const until = stage.finishedAt ?? state.finishedAt
      const from = workAt(stage.startedAt)
      const end = until ?? now
      const ms = end - stage.startedAt - waitedOf(stage, end) - paused(stage.startedAt, end)
      return [
        {
          stack: member?.name ?? null,
          provider: member?.provider ?? "",
          strategy: member?.strategy,
          stage: stage.name,
          from,
          ...(until === undefined ? {} : { to: workAt(until) }),
          // For a whole stage, the progress of the execution counts: its stacks are what waits.
          ms: member === undefined ? workAt(end) - from : Math.max(0, ms)
        }
      ]
    })
  return {
    correlationId: state.correlationId,
    deploymentId: state.deploymentId,
    environment: state.environment,
    kind: state.kind,
    ...(state.command === undefined ? {} : { command: state.command }),
    rollingBack: state.status === "rolling_back",
    stacks: members,
    startedAt,
    ...(state.finishedAt === undefined ? {} : { endedAt: state.finishedAt }),
    elapsedMs: workAt(state.finishedAt ?? now),
    spans: [
      ...spansOf(state.stages, undefined),
      ...state.stacks.flatMap(({ stages }, index) => spansOf(stages, members[index]))
    ]
  }
}

/**
 * What was known of a finished run when it had worked for `elapsedMs`.
 */
export const cut = (run: Run, elapsedMs: number): Run => {
  const { endedAt: _, ...rest } = run
  return {
    ...rest,
    elapsedMs,
    stacks: run.stacks.map((member) => {
      const planned = run.spans.some(
        ({ stack, stage, to = Infinity }) => stack === member.name && stage === "initialization" && to <= elapsedMs
      )
      return planned ? member : { ...member, idle: false, planned }
    }),
    spans: run.spans.flatMap((span): ReadonlyArray<Span> => {
      if (span.from > elapsedMs) return []
      if (span.to !== undefined && span.to <= elapsedMs) return [span]
      const { to: _, ...open } = span
      return [{ ...open, ms: Math.min(span.ms, elapsedMs - span.from) }]
    })
  }
}

/**
 * Whether a run does the same work as a finished one, by what is known now: the same kind, the same stacks, the same
 * strategies, and nothing to do for the same ones among the planned stacks.
 */
export const mayBe = (run: Run, over: Run): boolean =>
  run.kind === over.kind &&
  run.stacks.length === over.stacks.length &&
  run.stacks.every(({ idle, name, planned, provider, strategy }, index) => {
    const other = over.stacks[index]!
    if (name !== other.name || provider !== other.provider) return false
    if (!run.kind.startsWith("deploy")) return true
    return planned && (idle || other.idle) ? idle === other.idle : strategy === other.strategy
  })

/**
 * The moments of a run, by name: the start and end of each stage, in milliseconds of work since its start.
 */
export const moments = ({ spans }: Run): ReadonlyMap<string, number> =>
  new Map(
    spans.flatMap(({ from, stack, stage, to }): ReadonlyArray<readonly [string, number]> => {
      const name = `${stack ?? ""}/${stage}`
      return [[`${name}/began`, from], ...(to === undefined ? [] : [[`${name}/ended`, to] as const])]
    })
  )
