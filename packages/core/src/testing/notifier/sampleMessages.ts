/**
 * Messages of every kind, for tests of channels.
 */
import * as Schema from "effect/Schema"
import {
  type Facts,
  Message,
  type NotificationKind,
  notificationKinds,
  severities
} from "../../domain/notification/index.ts"

const start = 1_790_000_000_000
const failure = {
  code: "release_broken",
  params: { stack: "web", provider: "local", operation: "stage" },
  detail: "web exited with code 1"
}
const stall = { stall: "stage", stack: "web", stage: "deployment", elapsedMs: 240_000, thresholdMs: 120_000, n: 12 }
const decision = { reason: "holiday", by: "ada" }

const factsByKind = {
  started: {},
  waiting: {
    behind: [
      {
        code: "blocked_by_queue",
        params: { execution: "e-1", kind: "deploy", by: "grace", deployment: "DX6604E", environment: "production" }
      }
    ],
    clearance: { earliest: start + 60_000, latest: start + 240_000, n: 9 }
  },
  progress: {
    stage: "deployment",
    recent: [
      { at: start + 1_000, stack: "web", what: "1 of 2 instances is up" },
      { at: start + 2_000, stack: "web", what: { code: "operation_over", params: {}, detail: "UpdateService" } }
    ],
    eta: { earliest: start + 60_000, latest: start + 240_000, n: 9 }
  },
  approval_requested: {
    stack: "web",
    question: { code: "operation_over", params: {}, detail: "UpdateService" },
    expiresAt: start + 600_000,
    otherwise: "abort"
  },
  paused: { by: "ada" },
  stalled: stall,
  recovered: stall,
  overdue: { elapsedMs: 900_000, thresholdMs: 600_000, n: 12 },
  monitoring_gap: { elapsedMs: 60_000 },
  completed: { elapsedMs: 250_000 },
  failed: { error: failure, elapsedMs: 250_000, lines: ["listening on 8080", "Error: no such table: users"] },
  cancelled: { by: "ada", elapsedMs: 12_000 },
  rolled_back: { error: failure, elapsedMs: 250_000, affectedMs: 30_000 },
  locked: { ...decision, until: start + 3_600_000 },
  unlocked: decision,
  lease_revoked: { ...decision, holder: "e-1" },
  vetoed: { ...decision, version: "1.4.2" },
  veto_lifted: { ...decision, version: "1.4.2" },
  freeze_overridden: decision,
  drift: { stack: "web", fields: [{ field: "instances", expected: "2", actual: "3" }] },
  acknowledged: { by: "ada", of: "d-1" },
  recovery_summary: {
    since: start,
    until: start + 900_000,
    items: [
      { kind: "started", severity: "info", at: start, execution: "e-1", environment: "production", version: "1.4.2" },
      {
        kind: "completed",
        severity: "info",
        at: start + 250_000,
        execution: "e-1",
        environment: "production",
        version: "1.4.2"
      }
    ],
    more: 3
  },
  test: { by: "ada" }
} satisfies { readonly [Kind in NotificationKind]: object }

const withoutExecution: ReadonlySet<NotificationKind> = new Set([
  "locked",
  "unlocked",
  "lease_revoked",
  "vetoed",
  "veto_lifted",
  "recovery_summary",
  "test"
])

const statuses: { readonly [Kind in NotificationKind]?: string } = {
  waiting: "queued",
  paused: "paused",
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
  rolled_back: "rolled_back"
}

const decode = Schema.decodeUnknownSync(Message)

/**
 * A message of one kind, about the execution `stream` (default `e-2`) or its deployment.
 */
export const sampleMessage = (
  kind: NotificationKind,
  options: { readonly stream?: string; readonly seq?: number } = {}
): Message => {
  const { seq = 7, stream = "e-2" } = options
  const about = withoutExecution.has(kind)
  return decode({
    stream: about ? "DX6604E" : stream,
    seq,
    event: `sample/${kind}/${seq}`,
    at: start,
    severity: severities[kind],
    deployment: { id: "DX6604E", organization: "acme", project: "shop" },
    environment: "production",
    ...(about
      ? {}
      : {
          execution: {
            id: stream,
            kind: "deploy",
            status: statuses[kind] ?? "in_progress",
            by: "ada",
            version: "1.4.2",
            reason: "a fix for the basket",
            origin: { commit: "9fceb02", workflowRun: "https://ci.example.com/runs/7" },
            requestedAt: start - 250_000,
            startedAt: start - 249_000
          }
        }),
    stacks: about
      ? []
      : [{ name: "web", status: "deployed", version: "1.4.2", was: "1.4.1", address: "https://shop.example.com" }],
    links: about ? [] : [{ to: "trace", url: "https://traces.example.com/trace/4bf92f3577b34da6a3ce929d0e0e4736" }],
    facts: { kind, ...factsByKind[kind] }
  })
}

/** A message of each kind. */
export const sampleMessages = (): ReadonlyArray<Message> => notificationKinds.map((kind) => sampleMessage(kind))

/**
 * The message with text from outside replaced: names of people and projects, reasons, versions, progress, lines of logs.
 */
export const withOutsideText = (message: Message, text: string): Message => {
  const { deployment, execution, facts } = message
  const outside = (facts: Facts): Facts => {
    switch (facts.kind) {
      case "progress":
        return { ...facts, recent: facts.recent.map((one) => ({ ...one, what: text })) }
      case "failed":
        return {
          ...facts,
          ...(facts.error === undefined ? {} : { error: { ...facts.error, detail: text } }),
          lines: Array.from({ length: 20 }, () => text)
        }
      case "locked":
      case "unlocked":
      case "lease_revoked":
      case "freeze_overridden":
        return { ...facts, reason: text }
      case "vetoed":
      case "veto_lifted":
        return { ...facts, reason: text, version: text }
      case "drift":
        return { ...facts, fields: [{ field: text, expected: text, actual: text }] }
      case "recovery_summary":
        return { ...facts, items: facts.items.map((item) => ({ ...item, version: text })) }
      default:
        return facts
    }
  }
  return {
    ...message,
    ...(deployment === undefined ? {} : { deployment: { ...deployment, organization: text, project: text } }),
    ...(execution === undefined
      ? {}
      : { execution: { ...execution, version: text, reason: text, command: text, origin: { commit: text } } }),
    stacks: message.stacks.map((stack) => ({ ...stack, version: text, was: `${text}-`, progress: text })),
    facts: outside(facts)
  }
}
