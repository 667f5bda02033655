/**
 * One line for each transition, if the output is not a terminal: a CI log, a file.
 */
import type { Estimate } from "@signalbox/core/analysis"
import type { CauseInfo, EventOf, Execution, StackPlan, StoredEvent } from "@signalbox/core/spi"
import { alertText, describeCause, describeCauses } from "@signalbox/core/text"
import { leftLine } from "./estimate.ts"
import { word } from "./glyphs.ts"
import { clock, plain, span } from "./words.ts"

const because = (reason: CauseInfo | string | undefined): string =>
  reason === undefined ? "" : `: ${typeof reason === "string" ? reason : describeCause(reason)}`

const bySteps: ReadonlySet<string> = new Set(["deployment", "rollback", "destruction"])

/** Whether another line says it: the stack's, or the failed stage's. */
const said = ({ on, stack, stage }: EventOf<"StageTransitioned">): boolean =>
  stack === undefined
    ? on === "started" || on === "skipped"
    : on === "skipped" || (bySteps.has(stage) && on !== "waiting")

/** The warnings of a plan. */
const careful = ({ notices = [] }: StackPlan): string =>
  notices.map((notice) => `; careful: ${describeCause(notice)}`).join("")

/** What an event says to a person; undefined for engine events. */
export const sentence = ({ event }: StoredEvent): string | undefined => {
  switch (event._tag) {
    case "DeploymentInitialized":
      return `deployment ${event.deploymentId} made by ${event.by}`
    case "ExecutionRequested":
      return `${event.kind} of ${event.deploymentId} in ${event.environment}${event.version === undefined ? "" : `, version ${event.version}`}, asked for by ${event.by} (${event.correlationId})`
    case "RunnerClaimed":
      return event.resumed ? "taken up again by another runner" : undefined
    case "ExecutionTransitioned":
      return `execution ${word(event.on)}${because(event.error ?? event.cause)}`
    case "StageTransitioned":
      return said(event)
        ? undefined
        : `${event.stack === undefined ? "" : `${event.stack}: `}${word(event.stage)} ${word(event.on)}${because(event.cause)}`
    case "StackTransitioned":
      return `${event.stack}: ${word(event.on)}${event.release == null ? "" : ` at ${event.release.version}`}${because(event.error)}`
    case "DeploymentTransitioned":
      return `deployment ${word(event.on)}${because(event.cause)}`
    case "StackPlanned":
      return `${event.stack}: plan: ${event.plan.action === "none" ? "nothing to do" : event.plan.changes.join("; ") || event.plan.action}${careful(event.plan)}`
    case "TrafficObserved":
      return `${event.stack}: ${event.candidate}% of the traffic on the candidate`
    case "VerdictReached":
      return `${event.verdict.stack}: ${word(event.verdict.verdict)}, ${event.verdict.step}: ${describeCauses(event.verdict.findings)}`
    case "ProgressReported":
      return `${event.stack}${because(event.message ?? event.cause)}`
    case "ApprovalRequested":
      return `${event.stack}: waits for an answer: ${describeCause(event.question)} ${event.expiresAt === undefined ? "" : ` (until ${clock(event.expiresAt)}, then ${event.otherwise})`}`
    case "ApprovalResolved":
      return `${event.stack}: answer: ${event.answer}${event.expired ? " (no answer in time)" : event.by === undefined ? "" : ` by ${event.by}`}`
    case "CommandIssued":
      return `${event.command}${event.stack === undefined ? "" : ` ${event.stack}`} by ${event.by}${because(event.reason ?? event.cause)}`
    case "DeploymentExtended":
      return `${[...event.environments, ...event.stacks].join(", ")} added by ${event.by}`
    case "VersionVetoed":
      return `version ${event.version} vetoed${event.environment === null ? "" : ` in ${event.environment}`} by ${event.by}: ${event.reason}`
    case "VetoLifted":
      return `veto on version ${event.version} lifted${event.environment === null ? "" : ` in ${event.environment}`} by ${event.by}: ${event.reason}`
    case "EnvironmentLocked":
      return `${event.environment} locked by ${event.by}${event.force === true ? ", by force" : ""}: ${event.reason}${event.until === undefined ? "" : ` (until ${clock(event.until)})`}`
    case "EnvironmentUnlocked":
      return `${event.environment} unlocked by ${event.by}: ${event.reason}`
    case "LeaseRevoked":
      return `lease of ${event.holder} on ${event.environment} revoked by ${event.by}: ${event.reason}`
    case "ExecutionAdmitted":
      return "its turn has come"
    case "ProcessStarted":
      return `runs: ${event.command}`
    case "ProcessExited":
      return `the command ended ${event.signal === null ? `with code ${event.code ?? "?"}` : `by ${event.signal}`}${because(event.cause)}`
    case "AlertRaised":
      return `${word(event.kind)}: ${alertText(event)}`
    case "LeaseAcquired":
    case "MonitorClaimed":
    case "CheckpointRecorded":
    case "OutputsRecorded":
    case "StepStarted":
    case "StepFinished":
    case "DeferredDone":
    case "ClockSet":
    case "TraceExported":
      return undefined
  }
}

/** The line of an event, starting with its time so that no CI log interprets a message as a command. */
export const transition = (stored: StoredEvent): string | undefined => {
  const text = sentence(stored)
  return text === undefined ? undefined : `${clock(stored.at)}  ${plain(text)}`
}

/** The line that shows that it is still alive. */
export const heartbeat = (state: Execution.ExecutionState, now: number, estimate?: Estimate.Estimate): string => {
  const left = leftLine(estimate, state)
  const waits = state.questions.map((question) =>
    question.expiresAt === undefined
      ? `${question.stack} waits for an answer`
      : `${question.stack} waits for approval (${span(question.expiresAt - now)} left)`
  )
  const works = state.stacks
    .flatMap(({ name, stages }) =>
      stages.filter(({ status }) => status === "running").map((stage) => ({ name, stage }))
    )
    .map(({ name, stage }) => `${name} in ${word(stage.name)} for ${span(now - (stage.startedAt ?? now))}`)
  return `${clock(now, now)}  still ${word(state.status)} after ${span(now - (state.startedAt ?? state.requestedAt))}${
    [...waits, ...works].length === 0 ? "" : `: ${[...waits, ...works].join(", ")}`
  }${left === undefined ? "" : `; ${left}`}`
}
