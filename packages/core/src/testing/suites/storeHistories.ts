/** Events for the store suite: small ones that a test names, and random legal histories. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { causeInfo } from "../../domain/errors/index.ts"
import {
  CorrelationId,
  type DeploymentId,
  deploymentMachine,
  Environment,
  EnvironmentName,
  type Event,
  type EventOf,
  Execution,
  executionMachine,
  makeDeploymentId,
  type NewEvent,
  type Release,
  StackName,
  stackMachine,
  stageMachine,
  StageName,
  type StoredEvent
} from "../../domain/index.ts"
import { DeploymentStore } from "../../spi/index.ts"

/** Where the histories of one test happen; its ids are unique among tests. */
export interface Place {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}

export const place: Effect.Effect<Place> = Effect.map(makeDeploymentId, (deploymentId) => ({
  deploymentId,
  environment: EnvironmentName.make("production")
}))

export const correlationId: Effect.Effect<CorrelationId> = Effect.map(
  Effect.all([Random.nextIntBetween(0, 2 ** 31), Random.nextIntBetween(0, 2 ** 31)]),
  ([left, right]) => CorrelationId.make(`run-${left.toString(36)}-${right.toString(36)}`)
)

export const stacks = ["network", "api", "web"].map((name) => StackName.make(name))

export const initialized = ({ deploymentId, environment }: Place, at = 1_000): NewEvent => ({
  id: "initialized",
  at,
  event: {
    _tag: "DeploymentInitialized",
    deploymentId,
    organization: "acme",
    project: "shop",
    template: "default",
    environments: [environment],
    stacks,
    by: "suite"
  }
})

export const requested = (
  where: Place,
  correlationId: CorrelationId,
  at: number,
  more: Partial<EventOf<"ExecutionRequested">> = {}
): NewEvent => ({
  id: "requested",
  at,
  event: {
    _tag: "ExecutionRequested",
    correlationId,
    kind: "deploy",
    ...where,
    by: "suite",
    deploymentBefore: "initialized",
    stacksBefore: [],
    spec: {
      stacks: stacks.map((name) => ({
        name,
        provider: "local",
        enabled: true,
        dependsOn: [],
        strategy: { type: "all_at_once" },
        gate: {
          minHealthyPercentage: 80,
          maxErrorCount: 10,
          errorWindow: Duration.minutes(5),
          maxResponseTime: Duration.seconds(2),
          responseTime: "p95",
          gracePeriod: Duration.millis(250),
          interval: Duration.seconds(10),
          consecutivePasses: 3,
          minSamples: 20
        },
        timeout: Duration.minutes(30),
        properties: { command: ["node", "ü \u0000 'quoted' \"twice\" \\ 100%"], nested: { value: null } }
      })),
      parallelism: 4,
      rollback: true,
      leaseTtl: Duration.seconds(15)
    },
    ...more
  }
})

export const moved = (on: EventOf<"ExecutionTransitioned">["on"], at: number, id: string = on): NewEvent => ({
  id,
  at,
  event: { _tag: "ExecutionTransitioned", on }
})

export const step = (name: string, at: number): NewEvent => ({
  id: name,
  at,
  event: { _tag: "StepStarted", step: name, attempt: 1, operation: "stage" }
})

const release: Effect.Effect<Release> = Effect.map(Random.nextIntBetween(1, 9), (n) => ({
  id: `r${n}`,
  version: `${n}.0.0`,
  configDigest: "c"
}))

const oneOf = <A>(values: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, values.length - 1), (index) => values[index]!)

const ends = new Set<string>(["completed", "failed", "rolled_back", "cancelled"])

const anyEvent = (at: number): Effect.Effect<Event> =>
  Effect.gen(function* () {
    const stack = yield* oneOf(stacks)
    const some = yield* release
    const other = yield* release
    const percent = yield* Random.nextIntBetween(0, 100)
    const checkpoint = { release: other, takenAt: at, data: { weights: [percent] } }
    return yield* oneOf<Event>([
      { _tag: "ExecutionTransitioned", on: yield* oneOf(executionMachine.triggers) },
      { _tag: "StageTransitioned", stage: yield* oneOf(StageName.literals), on: yield* oneOf(stageMachine.triggers) },
      {
        _tag: "StageTransitioned",
        stage: yield* oneOf(StageName.literals),
        on: yield* oneOf(stageMachine.triggers),
        stack
      },
      { _tag: "StackTransitioned", stack, on: yield* oneOf(stackMachine.triggers), release: some },
      { _tag: "StackTransitioned", stack, on: yield* oneOf(stackMachine.triggers) },
      { _tag: "DeploymentTransitioned", on: yield* oneOf(deploymentMachine.triggers) },
      {
        _tag: "StackPlanned",
        stack,
        plan: { action: "update", candidate: some, checkpoint, changes: ["a"], rollback: "goes back", warnings: [] }
      },
      { _tag: "CheckpointRecorded", stack, checkpoint },
      { _tag: "OutputsRecorded", stack, outputs: { url: `http://${percent}`, port: percent, open: percent > 50 } },
      { _tag: "TrafficObserved", stack, shares: [{ releaseId: some.id, percent }], candidate: percent },
      {
        _tag: "VerdictReached",
        verdict: {
          stack,
          step: `canary ${percent}%`,
          releaseId: some.id,
          verdict: "pass",
          findings: [causeInfo("requests", { requests: percent })],
          evidence: [],
          weight: percent,
          at
        }
      },
      { _tag: "ProgressReported", stack, message: `${percent} of 100` },
      {
        _tag: "ApprovalRequested",
        stack,
        question: causeInfo("canary_ready", { version: some.version, weight: percent }),
        expiresAt: at + 1_000,
        otherwise: "abort"
      },
      { _tag: "ApprovalResolved", stack, answer: "continue", by: "suite", expired: false },
      { _tag: "CommandIssued", command: "pause", by: "suite" },
      { _tag: "StepStarted", step: `s${percent}`, attempt: 1, operation: "stage" },
      { _tag: "StepFinished", step: `s${percent}`, attempt: 1, exit: { _tag: "Success", value: { percent } } },
      { _tag: "RunnerClaimed", runner: "host/1", fence: 1, resumed: false },
      { _tag: "LeaseAcquired", key: "a/b", fence: 1 },
      { _tag: "DeferredDone", name: "approval", exit: null },
      { _tag: "ClockSet", name: "bake", wakeAt: at + 10 }
    ])
  })

/** A history that the tables allow: a request, then random legal events; the last event ends it if that is legal. */
export const legalHistory = (
  where: Place,
  id: CorrelationId,
  length: number,
  known?: Environment.EnvironmentState
): Effect.Effect<ReadonlyArray<NewEvent>> =>
  Effect.gen(function* () {
    const first = requested(where, id, 10_000)
    const history: Array<NewEvent> = [first]
    let execution = Result.getOrThrow(Execution.evolve(undefined, first.at, first.event))
    let environment = Result.getOrThrow(Environment.evolve(known, first.at, id, first.event))
    for (let tries = 0; history.length < length && tries < length * 20; tries++) {
      const at = 10_000 + tries
      const event = yield* anyEvent(at)
      if (event._tag === "ExecutionTransitioned" && ends.has(event.on) && history.length < length - 1) continue
      const next = Execution.evolve(execution, at, event)
      const around = Environment.evolve(environment, at, id, event)
      if (Result.isFailure(next) || Result.isFailure(around)) continue
      execution = next.success
      environment = around.success
      history.push({ id: `e${history.length}`, at, event })
    }
    return history
  })

/** An execution that has started. */
export const begun = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const where = yield* place
  const stream = yield* correlationId
  yield* store.append({ stream, expected: 0, events: [requested(where, stream, 2_000), moved("started", 2_001)] })
  return { store, where, stream }
})

/** The events of a stream. */
export const written = (stream: string) => Effect.flatMap(DeploymentStore, (store) => store.events({ stream }))

export const ids = (events: ReadonlyArray<StoredEvent>) => events.map(({ id }) => id)
