/**
 * An execution as JSON shows it. The names are API.
 */
import type { Environment, Execution, StackName, Verdict } from "@signalbox/core/spi"
import { causeView, describeCause, describeCauses, errorView, progressText } from "@signalbox/core/text"
import { traceIdOf } from "@signalbox/core/telemetry"

/** The schema names of what is streamed, with their versions. */
export const schemas = {
  execution: "signalbox.execution/1",
  event: "signalbox.event/1",
  turn: "signalbox.turn/1"
} as const

export const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | undefined) => (at === undefined ? null : iso(at))

export const stageView = (stage: Execution.StageState) => ({
  name: stage.name,
  status: stage.status,
  startedAt: isoOrNull(stage.startedAt),
  finishedAt: isoOrNull(stage.finishedAt),
  ...(stage.cause === undefined ? {} : { reason: describeCause(stage.cause), cause: stage.cause })
})

export const verdictView = ({ at, evidence, ...verdict }: Verdict) => ({
  ...verdict,
  reason: describeCauses(verdict.findings),
  evidence: evidence.map((one) => ({ ...one, reason: describeCause(one.finding) })),
  at: iso(at)
})

const stackView = (stack: Execution.StackState) => ({
  name: stack.name,
  provider: stack.provider,
  status: stack.status,
  release: stack.release,
  candidate: stack.candidate,
  candidateTraffic: stack.candidateTraffic,
  outputs: stack.outputs,
  stages: stack.stages.map(stageView),
  ...(stack.progress === undefined ? {} : { progress: progressText(stack.progress) }),
  ...(stack.error === undefined ? {} : { error: errorView(stack.error) })
})

/**
 * An execution. `durationMs` runs from its start to its end, or to `now` while it is under way; `error` is null where
 * there is none.
 */
export const executionView = (state: Execution.ExecutionState, now: number) => ({
  deploymentId: state.deploymentId,
  correlationId: state.correlationId,
  traceId: traceIdOf(state.correlationId),
  kind: state.kind,
  status: state.status,
  environment: state.environment,
  version: state.version ?? null,
  strategy: state.strategy ?? null,
  triggeredBy: state.by,
  reason: state.reason ?? null,
  cause: state.cause === undefined ? null : causeView(state.cause),
  queue: state.queue ?? null,
  override: state.override ?? null,
  commit: state.origin?.commit ?? null,
  committedAt: isoOrNull(state.origin?.committedAt),
  workflowRun: state.origin?.workflowRun ?? null,
  requestedAt: iso(state.requestedAt),
  turnAt: isoOrNull(state.turnAt),
  startedAt: isoOrNull(state.startedAt),
  finishedAt: isoOrNull(state.finishedAt),
  durationMs: state.startedAt === undefined ? null : (state.finishedAt ?? now) - state.startedAt,
  stacks: state.stacks.map(stackView),
  stages: state.stages.map(stageView),
  verdicts: state.verdicts.map(verdictView),
  questions: state.questions.map(({ expiresAt, question, ...others }) => ({
    ...others,
    ...causeView(question),
    question: describeCause(question),
    expiresAt: iso(expiresAt)
  })),
  error: state.error === undefined ? null : errorView(state.error)
})
export type ExecutionView = ReturnType<typeof executionView>

/** The stacks that a deployment was made with, and those that were deployed since. */
export const stackNames = (
  deployment: Environment.Deployment,
  states: ReadonlyArray<Environment.EnvironmentState>
): ReadonlyArray<StackName> => [
  ...new Set([...deployment.stacks, ...states.flatMap(({ stacks }) => stacks.map(({ name }) => name))])
]

/** A deployment, as `init`, `info` and `list` show it. */
export const deploymentView = (
  deployment: Environment.Deployment,
  states: ReadonlyArray<Environment.EnvironmentState> = []
) => ({
  deploymentId: deployment.deploymentId,
  organization: deployment.organization,
  project: deployment.project,
  template: deployment.template,
  environments: deployment.environments,
  stacks: stackNames(deployment, states),
  createdAt: iso(deployment.createdAt)
})

/** A deployment in one environment, as `status` shows it. */
export const environmentView = (
  deployment: Environment.Deployment,
  state: Environment.EnvironmentState | undefined,
  environment: string,
  execution: Execution.ExecutionState | undefined,
  now: number
) => ({
  deploymentId: deployment.deploymentId,
  organization: deployment.organization,
  project: deployment.project,
  environment,
  status: state?.status ?? "initialized",
  updatedAt: iso(state?.updatedAt ?? deployment.createdAt),
  stacks: stackNames(deployment, state === undefined ? [] : [state]).map((name) => {
    const stack = state?.stacks.find((one) => one.name === name)
    const within = execution?.stacks.find((one) => one.name === name)
    const comes = execution?.finishedAt === undefined
    return {
      name,
      provider: stack?.provider ?? within?.provider ?? null,
      status: stack?.status ?? "not_deployed",
      // What it has now; beside it what comes, while an execution brings that in.
      release: stack?.release ?? null,
      candidate: comes ? (within?.candidate ?? null) : null,
      candidateTraffic: comes ? (within?.candidateTraffic ?? 0) : 0,
      outputs: stack?.outputs ?? {},
      updatedAt: stack === undefined ? null : iso(stack.updatedAt),
      stages: within?.stages.map(stageView) ?? []
    }
  }),
  execution: execution === undefined ? null : executionView(execution, now)
})
