import type { StoredEvent } from "../../domain/Event.ts"
import type { ExecutionState, StackState, StageState } from "../../domain/ExecutionState.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import type { Endpoints, Release } from "../../domain/Release.ts"
import type { Verdict } from "../../domain/Verdict.ts"
import type { Lease } from "../../spi/LeaseStore.ts"
import { traceIdOf } from "../../telemetry/Ids.ts"
import { causeView, describeCause, describeCauses, errorView, progressText } from "../../text/index.ts"
import type { EventView, ExecutionView, RunnerView, StackView, StageView, VerdictView } from "../ExecutionView.ts"
import type { LogLineView, StackLogLine } from "../LogLineView.ts"
import { instantOf, instantOrNull } from "./instantOf.ts"

/** Shows a stage. */
export const stageView = (stage: StageState): StageView => ({
  name: stage.name,
  status: stage.status,
  startedAt: instantOrNull(stage.startedAt),
  finishedAt: instantOrNull(stage.finishedAt),
  ...(stage.cause === undefined ? {} : { reason: describeCause(stage.cause), cause: stage.cause })
})

const verdictView = ({ at, evidence, ...verdict }: Verdict): VerdictView => ({
  ...verdict,
  reason: describeCauses(verdict.findings),
  evidence: evidence.map((one) => ({ ...one, reason: describeCause(one.finding) })),
  at: instantOf(at)
})

/** The addresses of releases that are still there. */
export const endpointsOf = (
  endpoints: Endpoints | undefined,
  ...releases: ReadonlyArray<Release | null>
): { readonly endpoints?: Endpoints } => {
  const ids = releases.map((release) => release?.id)
  const known = Object.entries(endpoints ?? {}).filter(([id]) => ids.includes(id))
  return known.length === 0 ? {} : { endpoints: Object.fromEntries(known) }
}

const stackView = (stack: StackState): StackView => ({
  name: stack.name,
  provider: stack.provider,
  status: stack.status,
  release: stack.release,
  candidate: stack.candidate,
  candidateTraffic: stack.candidateTraffic,
  outputs: stack.outputs,
  ...endpointsOf(stack.endpoints, stack.release, stack.candidate),
  stages: stack.stages.map(stageView),
  ...(stack.progress === undefined ? {} : { progress: progressText(stack.progress) }),
  ...(stack.error === undefined ? {} : { error: errorView(stack.error) })
})

/** Shows an execution as it is at a time; `restorable` are the executions that one can go back to, if that was asked. */
export const executionView = (
  state: ExecutionState,
  now: number,
  restorable?: ReadonlySet<CorrelationId>
): ExecutionView => ({
  deploymentId: state.deploymentId,
  correlationId: state.correlationId,
  traceId: traceIdOf(state.correlationId),
  kind: state.kind,
  status: state.status,
  environment: state.environment,
  version: state.version ?? null,
  strategy: state.strategy ?? null,
  to: state.to?.execution ?? null,
  ...(restorable === undefined ? {} : { restorable: restorable.has(state.correlationId) }),
  triggeredBy: state.by,
  reason: state.reason ?? null,
  cause: state.cause === undefined ? null : causeView(state.cause),
  queue: state.queue ?? null,
  override: state.override ?? null,
  commit: state.origin?.commit ?? null,
  committedAt: instantOrNull(state.origin?.committedAt),
  workflowRun: state.origin?.workflowRun ?? null,
  requestedAt: instantOf(state.requestedAt),
  turnAt: instantOrNull(state.turnAt),
  startedAt: instantOrNull(state.startedAt),
  finishedAt: instantOrNull(state.finishedAt),
  durationMs: state.startedAt === undefined ? null : (state.finishedAt ?? now) - state.startedAt,
  stacks: state.stacks.map(stackView),
  stages: state.stages.map(stageView),
  verdicts: state.verdicts.map(verdictView),
  questions: state.questions.map(({ expiresAt, otherwise, question, stack }) => ({
    stack,
    ...causeView(question),
    question: describeCause(question),
    expiresAt: instantOrNull(expiresAt),
    otherwise: otherwise ?? null
  })),
  error: state.error === undefined ? null : errorView(state.error)
})

/** Shows who runs an execution; null where no process does. */
export const runnerView = (lease: Lease | undefined): RunnerView | null =>
  lease === undefined
    ? null
    : { owner: lease.owner, acquiredAt: instantOf(lease.acquiredAt), expiresAt: instantOf(lease.expiresAt) }

/** Shows a line of a log. */
export const logLineView = (line: StackLogLine): LogLineView => ({
  ...line,
  at: line.at === null ? null : instantOf(line.at)
})

/** Shows an event. Steps carry what their adapters keep for themselves; their outcome is not for reading. */
export const eventView = ({ event, ...stored }: StoredEvent): EventView => {
  // What a newer version wrote is shown as it is.
  const { _tag, ...fields } =
    event._tag === "Unknown" ? { ...(event.body as { readonly [name: string]: unknown }), _tag: event.tag } : event
  const { exit: _, ...data } = fields as { readonly [name: string]: unknown }
  return {
    stream: stored.stream,
    seq: stored.seq,
    id: stored.id,
    at: instantOf(stored.at),
    deploymentId: stored.deploymentId,
    environment: stored.environment,
    type: _tag,
    data: "exit" in event ? data : fields
  }
}
