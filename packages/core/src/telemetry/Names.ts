/**
 * Names in telemetry. The names of OpenTelemetry's conventions are copied: they are a release candidate, and their
 * package may break in a minor release.
 *
 * *Source*: OpenTelemetry semantic conventions 1.44.0, CI/CD and deployment; names that they lack are `signalbox.*`.
 */

/** Attributes. An attribute that is not listed here is not exported. */
export const Attribute = {
  actionName: "cicd.pipeline.action.name",
  pipelineName: "cicd.pipeline.name",
  result: "cicd.pipeline.result",
  runId: "cicd.pipeline.run.id",
  runState: "cicd.pipeline.run.state",
  runUrl: "cicd.pipeline.run.url.full",
  taskName: "cicd.pipeline.task.name",
  taskRunId: "cicd.pipeline.task.run.id",
  taskRunResult: "cicd.pipeline.task.run.result",
  taskRunUrl: "cicd.pipeline.task.run.url.full",
  taskType: "cicd.pipeline.task.type",
  workerId: "cicd.worker.id",
  environment: "deployment.environment.name",
  deploymentStatus: "deployment.status",
  errorType: "error.type",
  correlationId: "signalbox.correlation_id",
  deploymentId: "signalbox.deployment.id",
  kind: "signalbox.execution.kind",
  status: "signalbox.status",
  version: "signalbox.version",
  strategy: "signalbox.strategy",
  actor: "signalbox.actor",
  stage: "signalbox.stage",
  stack: "signalbox.stack",
  provider: "signalbox.provider",
  step: "signalbox.step",
  operation: "signalbox.operation",
  attempt: "signalbox.attempt",
  retryable: "signalbox.retryable",
  command: "signalbox.command",
  joined: "signalbox.joined",
  runs: "signalbox.runs",
  fence: "signalbox.fence",
  resumed: "signalbox.resumed",
  cut: "signalbox.cut",
  queuedMs: "signalbox.queued_ms",
  verdict: "signalbox.verdict",
  watched: "signalbox.watched",
  requests: "signalbox.requests",
  errors: "signalbox.errors",
  candidateTraffic: "signalbox.candidate_traffic_percent",
  answer: "signalbox.answer",
  expired: "signalbox.expired",
  link: "signalbox.link"
} as const

/** The allowed values of an attribute. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** The exported attributes. */
export const allowed: ReadonlySet<string> = new Set(Object.values(Attribute))

/** Names of spans; provider calls, stages, stacks and steps append what they do. */
export const SpanName = {
  run: "Runner.run",
  stage: (stage: string) => `Stage.${stage}`,
  stack: (stage: string) => `Stack.${stage}`,
  step: (operation: string) =>
    operation === "watch" ? "Gate.watch" : operation === "ask" ? "Approval.wait" : `Step.${operation}`,
  provider: (operation: string) => `Provider.${operation}`,
  lease: "Lease.wait",
  submit: "Signalbox.submit",
  command: (command: string) => `Signalbox.${command}`
} as const

/** The meaning of a link. */
export const LinkKind = {
  causedBy: "caused_by",
  causes: "causes",
  supersedes: "supersedes",
  retryOf: "retry_of",
  rollbackOf: "rollback_of"
} as const

/** Metrics; `cicd.pipeline.run.duration` is in seconds. None of them carries the id of the run. */
export const MetricName = {
  duration: "cicd.pipeline.run.duration",
  active: "cicd.pipeline.run.active",
  errors: "cicd.pipeline.run.errors"
} as const

/** A substitute address: the conventions require an absolute URI. */
export const urnOf = (correlationId: string, part = ""): string =>
  `urn:signalbox:execution:${encodeURIComponent(correlationId)}${part === "" ? "" : `#${part}`}`
