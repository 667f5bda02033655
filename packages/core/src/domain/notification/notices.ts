/**
 * What notifications follow from an event: pure, so that planning twice gives the same ones.
 */
import type { EventOf, EventTag, StoredEvent } from "../Event.ts"
import { type ExecutionState, isFinished, isQueued } from "../Execution.ts"
import type { CauseInfo } from "../errors/index.ts"
import { type NotificationKind, severities } from "./Kinds.ts"
import { type Facts, type FactsOf, type Message, type MessageStack, type RecentEvent, stallFields } from "./Message.ts"

/** A request that is not admitted within this time is reported as waiting, in ms. */
const patience = 5_000
/** How many recent events a notice of progress has, and how many lines a failure. */
const recentCount = 8
const lineCount = 20

/**
 * What is known besides the event.
 *
 * *Details*: `before` and `after` are the execution before and after it, `recent` the latest reports of its providers.
 */
export interface NoticeContext {
  readonly deployment: Message["deployment"]
  readonly before: ExecutionState | undefined
  readonly after: ExecutionState | undefined
  readonly recent: ReadonlyArray<RecentEvent>
  /** How long requests could reach the candidate, if they could. */
  readonly exposedMs?: number
  /** Why it waits, if it waits. */
  readonly behind?: ReadonlyArray<CauseInfo>
  readonly links?: Message["links"]
}

/** A message, and after which time it is due. */
export interface Notice {
  readonly message: Message
  readonly afterMs: number
}

/** Which events a kind follows from; the reports of providers only where progress is wanted. */
const tagsByKind: { readonly [Kind in NotificationKind]?: ReadonlyArray<EventTag> } = {
  waiting: ["ExecutionRequested"],
  freeze_overridden: ["ExecutionRequested"],
  progress: ["StageTransitioned", "TrafficObserved", "ProgressReported"],
  started: ["ExecutionTransitioned"],
  paused: ["ExecutionTransitioned"],
  completed: ["ExecutionTransitioned"],
  failed: ["ExecutionTransitioned"],
  cancelled: ["ExecutionTransitioned"],
  rolled_back: ["ExecutionTransitioned"],
  approval_requested: ["ApprovalRequested"],
  stalled: ["AlertRaised"],
  recovered: ["AlertRaised"],
  overdue: ["AlertRaised"],
  monitoring_gap: ["AlertRaised"],
  locked: ["EnvironmentLocked"],
  unlocked: ["EnvironmentUnlocked"],
  lease_revoked: ["LeaseRevoked"],
  vetoed: ["VersionVetoed"],
  veto_lifted: ["VetoLifted"]
}

/** The tags of events that notifications of these kinds follow from. */
export const notableTags = (kinds: ReadonlySet<NotificationKind>): ReadonlySet<EventTag> =>
  new Set([...[...kinds].flatMap((kind) => tagsByKind[kind] ?? []), "NotificationAcknowledged"])

const addressOf = (outputs: Readonly<Record<string, unknown>>): string | undefined =>
  Object.values(outputs).find((value): value is string => typeof value === "string" && /^https?:\/\//.test(value))

const stacksOf = ({ stacks }: ExecutionState): ReadonlyArray<MessageStack> =>
  stacks.map((stack): MessageStack => {
    const was = stack.checkpoint?.release?.version
    const version = (stack.candidate ?? stack.release)?.version
    const address = addressOf(stack.outputs)
    const stage = stack.stages.find(({ status }) => status === "running" || status === "waiting")?.name
    return {
      name: stack.name,
      status: stack.status,
      ...(version === undefined ? {} : { version }),
      ...(was === undefined ? {} : { was }),
      ...(address === undefined ? {} : { address }),
      ...(stage === undefined ? {} : { stage }),
      ...(stack.candidateTraffic === 0 ? {} : { traffic: stack.candidateTraffic }),
      ...(stack.progress === undefined ? {} : { progress: stack.progress })
    }
  })

const executionOf = (state: ExecutionState): NonNullable<Message["execution"]> => ({
  id: state.correlationId,
  kind: state.kind,
  status: state.status,
  by: state.by,
  ...(state.version === undefined ? {} : { version: state.version }),
  ...(state.reason === undefined ? {} : { reason: state.reason }),
  ...(state.command === undefined ? {} : { command: state.command }),
  ...(state.origin === undefined ? {} : { origin: state.origin }),
  requestedAt: state.requestedAt,
  ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
  ...(state.finishedAt === undefined ? {} : { finishedAt: state.finishedAt })
})

/** Links that the execution itself knows. */
const linksOf = (state: ExecutionState): Message["links"] => {
  const run = state.origin?.workflowRun
  const console = (state.error?.remedies ?? []).flatMap((remedy) => (remedy._tag === "console" ? [remedy.url] : []))
  return [
    ...(run !== undefined && /^https?:\/\//.test(run) ? [{ to: "workflow", url: run } as const] : []),
    ...console.slice(0, 1).map((url) => ({ to: "console", url }) as const)
  ]
}

const endFacts = ({ cause, error, finishedAt, startedAt }: ExecutionState) => ({
  ...(startedAt === undefined || finishedAt === undefined ? {} : { elapsedMs: Math.max(0, finishedAt - startedAt) }),
  ...(error === undefined ? {} : { error }),
  ...(error !== undefined || cause === undefined ? {} : { cause })
})

const linesOf = (recent: ReadonlyArray<RecentEvent>): ReadonlyArray<string> =>
  recent.flatMap(({ failed, what }) => (failed === true && typeof what === "string" ? [what] : [])).slice(-lineCount)

const onTransition = (
  { by, cause, on }: EventOf<"ExecutionTransitioned">,
  after: ExecutionState,
  { exposedMs, recent }: NoticeContext
): Facts | undefined => {
  switch (on) {
    case "started":
      return { kind: "started" }
    case "resumed":
      return { kind: "started", resumed: true }
    case "paused":
      return { kind: "paused", ...(by === undefined ? {} : { by }), ...(cause === undefined ? {} : { cause }) }
    case "completed": {
      const { elapsedMs } = endFacts(after)
      return { kind: "completed", ...(elapsedMs === undefined ? {} : { elapsedMs }) }
    }
    case "failed": {
      const lines = linesOf(recent)
      return { kind: "failed", ...endFacts(after), ...(lines.length === 0 ? {} : { lines }) }
    }
    case "cancelled":
      return { kind: "cancelled", ...endFacts(after), ...(by === undefined ? {} : { by }) }
    case "rolled_back":
      return {
        kind: "rolled_back",
        ...endFacts(after),
        ...(exposedMs === undefined ? {} : { affectedMs: Math.max(0, exposedMs) })
      }
    default:
      return undefined
  }
}

const progress = (state: ExecutionState, recent: ReadonlyArray<RecentEvent>): Facts => {
  const stage = state.stages.find(({ status }) => status === "running" || status === "waiting")?.name
  return { kind: "progress", ...(stage === undefined ? {} : { stage }), recent: recent.slice(-recentCount) }
}

const factsOf = (
  { event }: StoredEvent,
  context: NoticeContext
): ReadonlyArray<{ readonly facts: Facts; readonly afterMs?: number }> => {
  const { after, behind = [], recent } = context
  switch (event._tag) {
    case "ExecutionRequested":
      return [
        ...(event.override === undefined
          ? []
          : [{ facts: { kind: "freeze_overridden", reason: event.override, by: event.by } as const }]),
        ...(event.queue === undefined ? [] : [{ facts: { kind: "waiting", behind } as const, afterMs: patience }])
      ]
    case "ExecutionTransitioned": {
      const facts = after === undefined ? undefined : onTransition(event, after, context)
      return facts === undefined ? [] : [{ facts }]
    }
    case "StageTransitioned":
    case "TrafficObserved":
    case "ProgressReported":
      return after === undefined || isFinished(after) ? [] : [{ facts: progress(after, recent) }]
    case "ApprovalRequested": {
      const { _tag, ...question } = event
      return [{ facts: { kind: "approval_requested", ...question } }]
    }
    case "AlertRaised": {
      const { kind } = event
      return kind === "succeeded" || kind === "failed" ? [] : [{ facts: { kind, ...stallOf(event) } }]
    }
    case "EnvironmentLocked": {
      const { by, force, reason, until } = event
      return [
        {
          facts: {
            kind: "locked",
            reason,
            by,
            ...(until === undefined ? {} : { until }),
            ...(force === undefined ? {} : { force })
          }
        }
      ]
    }
    case "EnvironmentUnlocked":
      return [{ facts: { kind: "unlocked", reason: event.reason, by: event.by } }]
    case "LeaseRevoked":
      return [{ facts: { kind: "lease_revoked", reason: event.reason, by: event.by, holder: event.holder } }]
    case "VersionVetoed":
      return [{ facts: { kind: "vetoed", reason: event.reason, by: event.by, version: event.version } }]
    case "VetoLifted":
      return [{ facts: { kind: "veto_lifted", reason: event.reason, by: event.by, version: event.version } }]
    case "NotificationAcknowledged":
      return [{ facts: { kind: "acknowledged", by: event.by, of: event.notification } }]
    default:
      return []
  }
}

const environmentOf = ({ environment, event }: StoredEvent): Message["environment"] =>
  environment ?? ("environment" in event && event.environment !== null ? event.environment : undefined)

/** What an alert says besides its kind; only an end has a status and a cause. */
const stallOf = (alert: EventOf<"AlertRaised">): Omit<FactsOf<"stalled">, "kind"> =>
  Object.fromEntries(Object.entries(alert).filter(([key]) => key in stallFields))

/** The messages that follow from an event. */
export const noticesOf = (stored: StoredEvent, context: NoticeContext): ReadonlyArray<Notice> => {
  const { after, deployment, links = [] } = context
  const environment = environmentOf(stored)
  return factsOf(stored, context).map(({ afterMs = 0, facts }) => ({
    afterMs,
    message: {
      stream: stored.stream,
      seq: stored.seq,
      event: stored.id,
      at: stored.at,
      severity: severities[facts.kind],
      ...(deployment === undefined ? {} : { deployment }),
      ...(environment === undefined ? {} : { environment }),
      ...(after === undefined ? {} : { execution: executionOf(after) }),
      stacks: after === undefined ? [] : stacksOf(after),
      links: [...(after === undefined ? [] : linksOf(after)), ...links],
      facts
    }
  }))
}

const stalls = ({ alerts = [] }: ExecutionState, about: string | undefined): boolean =>
  alerts.findLast((alert) => alert.about === about && (alert.kind === "stalled" || alert.kind === "recovered"))
    ?.kind === "stalled"

/**
 * Whether what a message says still holds for the execution as it is now. Ends hold for good.
 */
export const stillTrue = ({ facts }: Message, state: ExecutionState | undefined): boolean => {
  if (state === undefined) return true
  switch (facts.kind) {
    case "waiting":
      return isQueued(state)
    case "started":
    case "progress":
    case "overdue":
    case "monitoring_gap":
    case "recovered":
      return !isFinished(state)
    case "paused":
      return state.status === "paused"
    case "approval_requested":
      return state.questions.some(({ stack }) => stack === facts.stack)
    case "stalled":
      return !isFinished(state) && stalls(state, facts.about)
    default:
      return true
  }
}
