import { causeInfo, errorInfo } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Api from "../../src/api/index.ts"
import type { EnvironmentLock } from "../../src/domain/Environment.ts"
import type { ExecutionState } from "../../src/domain/Execution.ts"
import { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../../src/domain/Ids.ts"
import type { Lease } from "../../src/spi/LeaseStore.ts"
import { ProviderError } from "../../src/spi/ProviderError.ts"

const exported: Readonly<Record<string, unknown>> = Api
const schemas = Object.entries(exported).flatMap(([name, value]) =>
  Schema.isSchema(value) && name !== "Rejected" ? [[name, value] as const] : []
)

const deploymentId = DeploymentId.make("DX6604E")
const environment = EnvironmentName.make("production")
const correlationId = CorrelationId.make("first")
const question = causeInfo("canary_ready", { version: "2.0.0", weight: 10 })
const state: ExecutionState = {
  correlationId,
  deploymentId,
  environment,
  kind: "deploy",
  status: "paused",
  deploymentBefore: "deployed",
  version: "2.0.0",
  by: "ada",
  origin: { commit: "cafe", committedAt: 1_000 },
  requestedAt: 2_000,
  startedAt: 3_000,
  stages: [{ name: "deployment", status: "waiting", startedAt: 3_000, cause: question }],
  stacks: [
    {
      name: StackName.make("web"),
      provider: "local",
      status: "deploying",
      release: null,
      candidate: { id: "r", version: "2.0.0", configDigest: "c" },
      candidateTraffic: 10,
      checkpoint: null,
      outputs: { url: "http://localhost" },
      stages: []
    }
  ],
  verdicts: [
    {
      stack: StackName.make("web"),
      step: "canary 10%",
      releaseId: "r",
      verdict: "inconclusive",
      findings: [causeInfo("requests_few", { requests: 3, needed: 20 })],
      evidence: [],
      weight: 10,
      at: 4_000
    }
  ],
  questions: [{ stack: StackName.make("web"), question, expiresAt: 9_000, otherwise: "abort" }]
}
const lease: Lease = {
  key: "lock",
  holder: "first",
  owner: "host/1",
  fence: 1,
  acquiredAt: 1_000,
  expiresAt: 2_000
}
const lock: EnvironmentLock = { environment, reason: "audit", by: "bob", at: 1_000, until: 5_000 }
const blocker = {
  kind: "lease",
  info: errorInfo(
    "blocked_by_veto",
    { version: "2.0.0", by: "ada" },
    { detail: "it loses orders", remedies: [{ _tag: "override" }] }
  ),
  who: "first",
  since: 1_000,
  clearsAt: { low: 1, point: 2, high: 3, basis: "history", n: 12 },
  consoleUrl: null
} as const
const estimate = { point: 5, low: 1, high: 9, coverage: 0.8, n: 12, scope: "all", basis: "history" } as const
const place = { position: 1, ahead: [{ correlationId }], left: estimate }

const shown: ReadonlyArray<readonly [string, Schema.Codec<any>, unknown]> = [
  ["ExecutionView", Api.ExecutionView, Api.executionView(state, 8_000)],
  ["RunnerView", Api.RunnerView, Api.runnerView(lease)],
  ["BlockerView", Api.BlockerView, Api.blockerView(blocker)],
  [
    "CanDeployView",
    Api.CanDeployView,
    Api.canDeployView(
      { deploymentId, environment },
      {
        canDeploy: false,
        degraded: "no route",
        blockers: [blocker],
        queue: 1,
        nextFreeze: { name: "christmas", since: 1, until: 2 },
        checkedAt: 3
      }
    )
  ],
  ["RegisteredView", Api.RegisteredView, Api.registeredView(state, place, true)],
  [
    "LockView",
    Api.LockView,
    Api.lockView(
      { deploymentId, environment },
      {
        lease,
        isDead: true,
        lock,
        queue: [
          { position: null, ticket: { correlationId, kind: "run", by: "ada", at: 1, policy: "fifo", overtaken: 0 } }
        ]
      }
    )
  ],
  ["VetoView", Api.VetoView, Api.vetoView({ version: "9", environment: null, reason: "leaks", by: "ada", at: 7 })],
  ["MetricsView", Api.MetricsView, Api.metricsView([state, { ...state, status: "completed", finishedAt: 9_000 }])]
]

const ahead: ReadonlyArray<Api.QueuePlace["ahead"][number]> = [{ correlationId, kind: "deploy", by: "ada" }]
const answers: ReadonlyArray<readonly [string, Schema.Codec<any>, unknown]> = [
  ["Submission", Api.Submission, { execution: state, joined: false, dropped: [] } satisfies Api.Submission],
  [
    "CanDeployAnswer",
    Api.CanDeployAnswer,
    {
      canDeploy: false,
      degraded: null,
      blockers: [blocker],
      queue: 1,
      nextFreeze: { name: "christmas", since: 1, until: 2 },
      checkedAt: 3
    } satisfies Api.CanDeployAnswer
  ],
  ["QueuePlace", Api.QueuePlace, { position: 1, ahead, left: estimate } satisfies Api.QueuePlace],
  ["QueuePlace without an estimate", Api.QueuePlace, { position: null, ahead: [], left: undefined }],
  ["QueueStatus", Api.QueueStatus, { lease, isDead: false, lock, queue: [] } satisfies Api.QueueStatus],
  ["QueueStatus of a free lease", Api.QueueStatus, { lease: undefined, isDead: false, lock: undefined, queue: [] }],
  [
    "CleanupResult",
    Api.CleanupResult,
    { correlationId, was: "queued", now: "cancelled", released: false } satisfies Api.CleanupResult
  ],
  [
    "StackHealth",
    Api.StackHealth,
    {
      name: StackName.make("web"),
      provider: "local",
      observation: new ProviderError({
        provider: "local",
        operation: "observe",
        stackName: "web",
        reason: { _tag: "Unavailable", message: "no route" }
      }),
      expected: true,
      errors: { requests: 10, errors: 1 },
      windowMs: 60_000,
      minHealthyPercentage: 80,
      maxErrorCount: 10
    } satisfies Api.StackHealth
  ],
  ["MonitorReport", Api.MonitorReport, { _tag: "Look", execution: state, silentMs: 5 } satisfies Api.MonitorReport],
  ["MonitorReport of the end", Api.MonitorReport, { _tag: "Ended", execution: undefined } satisfies Api.MonitorReport]
]

describe("what the facade shows", () => {
  it("has a schema with an identifier for every answer, each of its own", () => {
    expect(schemas.length).toBeGreaterThan(20)
    const identifiers = schemas.map(([name, schema]) => [name, schema.ast.annotations?.["identifier"]])
    expect(identifiers).toEqual(schemas.map(([name]) => [name, name]))
  })

  it.each(answers)("%s can be sent as JSON", (_, schema, value) => {
    const codec = Schema.toCodecJson(schema)
    const sent = JSON.parse(JSON.stringify(Schema.encodeSync(codec)(value)))
    expect(Schema.decodeUnknownSync(codec)(sent)).toEqual(value)
  })

  it.each(shown)("%s prints as JSON what its schema encodes, and reads it again", (_, schema, value) => {
    const codec = Schema.toCodecJson(schema)
    const printed = JSON.parse(JSON.stringify(value))
    expect(Schema.encodeSync(codec)(value)).toEqual(printed)
    expect(Schema.decodeUnknownSync(codec)(printed)).toEqual(value)
  })
})
