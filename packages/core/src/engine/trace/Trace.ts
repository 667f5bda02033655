/**
 * The trace of an execution, derived from its log: complete and the same whichever process derives it, even if runners
 * were killed.
 */
import * as Effect from "effect/Effect"
import type { NewEvent, Traced } from "../../domain/Event.ts"
import type { CauseInfo } from "../../domain/errors/index.ts"
import type * as Execution from "../../domain/Execution.ts"
import type { Attributes, SpanData } from "../../telemetry/index.ts"
import {
  Attribute,
  Caller,
  LinkKind,
  parseTraceparent,
  paths,
  rooted,
  rootSpanIdOf,
  sanitize,
  spanIdOf,
  SpanName,
  type SpanReference,
  traceIdOf,
  urnOf
} from "../../telemetry/index.ts"
import { describeCause } from "../../text/index.ts"
import { traceTimeline, type RunnerSpan, type StepSpan } from "./TraceTimeline.ts"

/**
 * A span of an execution. It is `open` if it had not ended at that time; its end is then `now`.
 */
export interface TraceSpan extends SpanData {
  readonly open: boolean
}

/** A link from the root to another execution, or to a span elsewhere. */
export type TraceLink = SpanReference & { readonly attributes: Attributes }

/** What a process writes to the log when it sends spans: the promise of a root. */
export const tracedMark = (correlationId: string): Effect.Effect<{ readonly trace?: Traced }> =>
  Effect.gen(function* () {
    const telemetry = yield* rooted(correlationId)
    if (telemetry === undefined) return {}
    const parent = (yield* Caller)?.parent ?? telemetry.parent
    return { trace: parent === undefined ? {} : { parent: parent.slice(0, 256) } }
  })

/** A link to the root of another execution. */
export const linkTo = (correlationId: string, kind: string): TraceLink => ({
  traceId: traceIdOf(correlationId),
  spanId: rootSpanIdOf(correlationId),
  attributes: { [Attribute.link]: kind, [Attribute.correlationId]: correlationId }
})

const causedBy = (parent: string | undefined): ReadonlyArray<TraceLink> => {
  const found = parseTraceparent(parent)
  return found === undefined ? [] : [{ ...found, attributes: { [Attribute.link]: LinkKind.causedBy } }]
}

/** What ended an execution from outside rather than by its own work. */
const errors: ReadonlySet<string> = new Set(["defect", "superseded", "lease_lost", "lease_expired"])

/** The result of an execution, in the conventions' terms. */
export const resultOf = (state: Execution.ExecutionState): string => {
  switch (state.status) {
    case "completed":
      return "success"
    case "cancelled":
      return "cancellation"
    case "failed":
    case "rolled_back":
      if (state.error?.code === "stage_timeout") return "timeout"
      return errors.has(state.error?.code ?? "") ? "error" : "failure"
    default:
      return "skip"
  }
}

const stageResults: Readonly<Record<string, string>> = {
  succeeded: "success",
  failed: "failure",
  cancelled: "cancellation",
  skipped: "skip"
}

const taskTypes: Readonly<Record<string, string>> = { health_check: "test", validation: "test" }

/** The pipeline of an execution. */
export const pipelineOf = (kind: string, project: string): string => `${kind} ${project}`

const optional = (name: string, value: string | number | boolean | undefined): Attributes =>
  value === undefined ? {} : { [name]: value }

const said = (cause: CauseInfo | undefined) => (cause === undefined ? undefined : describeCause(cause))

const failedAs = (type: string | undefined, message: string | undefined) => ({
  status: "error" as const,
  ...(message === undefined ? {} : { message: sanitize(message) }),
  attributes: optional(Attribute.errorType, type)
})

/**
 * The spans of an execution: the root, its runs, stages, stacks and steps; empty if the log has no execution.
 *
 * *Details*: `events` are all of the execution's, in order. `project` names the pipeline. `now` (milliseconds) ends
 * what is still in progress, `links` are further links of the root. No span outlasts its parent. Provider calls and
 * lease waits are not in the log: they are live spans of the processes that made them, below the spans derived here.
 */
export const spansOf = (
  events: ReadonlyArray<NewEvent>,
  options: { readonly project: string; readonly now: number; readonly links?: ReadonlyArray<TraceLink> }
): ReadonlyArray<TraceSpan> => {
  const gathered = traceTimeline(events)
  if (gathered === undefined) return []
  const { request, state } = gathered
  const id = state.correlationId
  const over = state.finishedAt
  const end = over ?? options.now
  const bounds = new Map<string, { readonly start: number; readonly end: number }>()
  /** The first existing one that lasts as long: work after the end of its stage is below the root. */
  const within = (start: number, until: number, ...among: ReadonlyArray<string>): string =>
    among.find((path) => {
      const found = bounds.get(path)
      return found !== undefined && found.start <= start && until <= found.end
    }) ?? paths.root

  const span = (
    path: string,
    parent: string | undefined,
    given: Pick<TraceSpan, "name" | "start" | "attributes"> & Partial<TraceSpan>
  ): TraceSpan => {
    bounds.set(path, { start: given.start, end: given.end ?? end })
    return {
      traceId: traceIdOf(id),
      spanId: spanIdOf(id, path),
      ...(parent === undefined ? {} : { parentSpanId: spanIdOf(id, parent) }),
      kind: "internal",
      end,
      open: false,
      status: "unset",
      events: [],
      links: [],
      ...given,
      attributes: { ...given.attributes, [Attribute.correlationId]: id }
    }
  }

  const root = () => {
    const result = resultOf(state)
    const failed = over !== undefined && result !== "success" && result !== "cancellation"
    const problem = failed ? failedAs(state.error?.code ?? state.status, said(state.error ?? state.cause)) : undefined
    const pipeline = pipelineOf(state.kind, options.project)
    return span(paths.root, undefined, {
      name: `RUN ${pipeline}`,
      kind: "server",
      start: state.requestedAt,
      open: over === undefined,
      status: problem?.status ?? (result === "success" ? "ok" : "unset"),
      ...(problem?.message === undefined ? {} : { message: problem.message }),
      attributes: {
        [Attribute.actionName]: "RUN",
        [Attribute.pipelineName]: pipeline,
        [Attribute.runId]: id,
        [Attribute.runUrl]: urnOf(id),
        ...(over === undefined ? {} : { [Attribute.result]: result }),
        [Attribute.environment]: state.environment,
        ...(over === undefined ? {} : { [Attribute.deploymentStatus]: result === "success" ? "succeeded" : "failed" }),
        [Attribute.deploymentId]: state.deploymentId,
        [Attribute.kind]: state.kind,
        [Attribute.status]: state.status,
        [Attribute.actor]: sanitize(state.by),
        [Attribute.runs]: gathered.runs.length,
        ...optional(
          Attribute.queuedMs,
          state.startedAt === undefined ? undefined : state.startedAt - state.requestedAt
        ),
        ...optional(Attribute.version, state.version),
        ...optional(Attribute.strategy, state.strategy),
        ...problem?.attributes
      },
      links: [
        ...causedBy(request.trace?.parent),
        ...(state.supersedes === undefined ? [] : [linkTo(state.supersedes, LinkKind.supersedes)]),
        ...(options.links ?? [])
      ]
    })
  }

  const run = (one: RunnerSpan) =>
    span(paths.run(one.fence), paths.root, {
      name: SpanName.run,
      start: one.start,
      end: one.end ?? end,
      open: one.end === undefined && over === undefined,
      status: one.cut ? "error" : one.end === undefined ? "unset" : "ok",
      ...(one.cut ? { message: "the runner ended abruptly" } : {}),
      attributes: {
        [Attribute.workerId]: one.runner,
        [Attribute.fence]: one.fence,
        [Attribute.resumed]: one.resumed,
        [Attribute.cut]: one.cut,
        ...(one.cut ? { [Attribute.errorType]: "runner_lost" } : {})
      },
      links: causedBy(one.parent)
    })

  const stageSpan = (stage: Execution.StageState, stack?: Execution.StackState): ReadonlyArray<TraceSpan> => {
    if (stage.startedAt === undefined) return []
    const path = stack === undefined ? paths.stage(stage.name) : paths.stack(stack.name, stage.name)
    const until = stage.finishedAt ?? end
    const above = stack === undefined ? paths.root : within(stage.startedAt, until, paths.stage(stage.name))
    const result = stageResults[stage.status]
    const problem = stage.status === "failed" ? failedAs(stack?.error?.code ?? "failed", said(stage.cause)) : undefined
    return [
      span(path, above, {
        name: stack === undefined ? SpanName.stage(stage.name) : SpanName.stack(stage.name),
        start: stage.startedAt,
        end: until,
        open: stage.finishedAt === undefined && over === undefined,
        status: problem?.status ?? (stage.status === "succeeded" ? "ok" : "unset"),
        ...(problem?.message === undefined ? {} : { message: problem.message }),
        events: gathered.traffic
          .filter((seen) => stack?.name === seen.stack && seen.stage === stage.name)
          .map(({ at, candidate }) => ({
            name: "traffic.observed",
            at,
            attributes: { [Attribute.candidateTraffic]: candidate }
          })),
        attributes: {
          [Attribute.taskName]: stack === undefined ? stage.name : `${stage.name} ${stack.name}`,
          [Attribute.taskRunId]: `${id}${path}`,
          ...optional(Attribute.taskRunResult, result),
          [Attribute.taskRunUrl]: urnOf(id, path),
          [Attribute.taskType]: taskTypes[stage.name] ?? "deploy",
          [Attribute.stage]: stage.name,
          [Attribute.status]: stage.status,
          ...optional(Attribute.stack, stack?.name),
          ...optional(Attribute.provider, stack?.provider),
          ...problem?.attributes
        }
      })
    ]
  }

  const above = (one: StepSpan): string => {
    const { stack = "", stage = "", start } = one
    return within(start, one.end ?? end, paths.stack(stack, stage), paths.stage(stage))
  }

  const step = (one: StepSpan) => {
    const problem = one.error === undefined ? undefined : failedAs(one.error.code, one.error.message)
    return span(paths.step(one.key), above(one), {
      name: SpanName.step(one.operation),
      start: one.start,
      end: one.end ?? end,
      open: one.end === undefined && over === undefined,
      status: problem?.status ?? (one.end === undefined ? "unset" : "ok"),
      ...(problem?.message === undefined ? {} : { message: problem.message }),
      events: one.events,
      attributes: {
        [Attribute.step]: one.name,
        [Attribute.operation]: one.operation,
        ...optional(Attribute.stage, one.stage),
        ...optional(Attribute.stack, one.stack),
        ...one.attributes,
        ...problem?.attributes
      }
    })
  }

  return [
    root(),
    ...gathered.runs.map(run),
    ...state.stages.flatMap((stage) => stageSpan(stage)),
    ...state.stacks.flatMap((stack) => stack.stages.flatMap((stage) => stageSpan(stage, stack))),
    ...gathered.steps.map(step)
  ]
}
