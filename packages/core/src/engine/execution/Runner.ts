/**
 * Carries an execution to its end, whichever process began it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as EventId from "../../domain/EventId.ts"
import { type ExecutionState, isFinished, isQueued } from "../../domain/Execution.ts"
import { causeInfo, errorInfo } from "../../domain/errors/index.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore, type StreamState } from "../../spi/DeploymentStore.ts"
import type { Lease, LeaseHeld, LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { inside, linkCaller, type LiveSpan, paths, spanIdOf, SpanName, traced } from "../../telemetry/index.ts"
import { claimExecution, heldUntil, LeaseKeeper, RunnerIdentity } from "../lease/index.ts"
import { closureEvents, EventLogEngine, ExecutionLog, openJournal } from "../log/index.ts"
import { endWithNothingChanged } from "./FailureHandling.ts"
import { body, ExecutionWorkflow } from "./ExecutionWorkflow.ts"
import { fenceOff } from "./Fencing.ts"
import { endOrphanedCommands } from "../command/index.ts"
import { recordMetrics, tracedMark } from "../trace/index.ts"
import { Monitor } from "../monitor/index.ts"
import { reject, type Rejected, unknownExecution } from "../../api/Rejected.ts"
import { acquireRunnerLease, Admission } from "../admission/index.ts"
import { executeCommand, type CommandExecution } from "./CommandExecution.ts"
import { Control, ExecutionContext, StepFailed, syncPaused, Waits } from "../step/index.ts"

type Services = DeploymentStore | LeaseStore | Providers

/**
 * Carries an execution to its end and returns its last state: from the start, from where a dead runner left it, or by
 * waiting for a live runner. A `run` needs its command, `wrapped`. The last state is unfinished, with a question, if
 * credentials ran out and nothing else is left to do: another run carries it on, once they are renewed.
 *
 * *Errors*: `Rejected` (`not_found`; `conflict` for a `run` without its command), `LeaseHeld` if another execution
 * holds the lease of its environment now, `LeaseLost` (with its `outage` if the store was unavailable for longer than
 * the lease), `StoreError`.
 */
export const run = Effect.fnUntraced(function* (
  id: CorrelationId,
  command?: CommandExecution,
  shown?: string
): Effect.fn.Return<ExecutionState, Rejected | LeaseHeld | LeaseLost | StoreError, Services> {
  const store = yield* DeploymentStore
  let waits = false
  const round = Effect.gen(function* () {
    const state = yield* store.execution(id)
    if (state === undefined) return yield* unknownExecution(id)
    if (isFinished(state)) return state
    waits = isQueued(state)
    const [requested] = yield* store.events({ stream: id, tags: ["ExecutionRequested"], limit: 1 })
    const asked = requested?.event._tag === "ExecutionRequested" ? requested.event : undefined
    const ttl = asked?.spec.leaseTtl ?? Duration.seconds(15)
    let waitedFor: { readonly heldUntil: number } | undefined
    const onHeld = ({ expiresAt }: Lease) => void (waitedFor = { heldUntil: expiresAt })
    const before = state.startedAt === undefined ? {} : yield* heldUntil(id)
    const first = yield* Effect.result(claimExecution(id, ttl))
    const claimed =
      first._tag === "Success"
        ? first.success
        : first.failure._tag === "LeaseHeld"
          ? yield* asked?.trace === undefined
              ? untilMine(id, ttl, first.failure.lease, onHeld)
              : traced(id, waiting)(untilMine(id, ttl, first.failure.lease, onHeld))
          : yield* first.failure
    if (claimed === undefined) return undefined
    const onTurn = () => void (waits = false)
    const left = yield* Effect.scoped(
      carryOn(id, claimed, ttl, { command, shown, onTurn, before: waitedFor ?? before })
    ).pipe(
      recordMetrics(id),
      inside(id, () => spanIdOf(id, paths.run(claimed.fence))),
      // A process that was stopped for a while has lost only time: the queue position is in the log.
      Effect.catchTag("LeaseLost", (error) =>
        // Once it works, the loss is the news, and the store may still be unavailable.
        !waits
          ? Effect.fail(error)
          : Effect.flatMap(store.execution(id), (now) =>
              now !== undefined && isQueued(now) ? Effect.succeed(false) : Effect.fail(error)
            )
      )
    )
    return left ? yield* store.execution(id) : undefined
  }).pipe(
    // A queued runner waits for the store, too, and claims its position again.
    Effect.retry({
      schedule: Schedule.spaced("1 second"),
      while: (error) => waits && error._tag === "StoreError" && error.isRetryable
    })
  )
  while (true) {
    const ended = yield* round
    if (ended !== undefined) return ended
  }
})

const waiting = (): LiveSpan => ({ name: SpanName.lease, root: true, attributes: {} })

/** Waits until this runner may carry on the execution; undefined if another one has ended it. */
const untilMine = Effect.fnUntraced(function* (
  id: CorrelationId,
  ttl: Duration.Duration,
  held: Lease,
  onHeld: (lease: Lease) => void
): Effect.fn.Return<Lease | undefined, StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  let lease = held
  while (true) {
    onHeld(lease)
    yield* awaitTurn(lease)
    const state = yield* store.execution(id)
    if (state === undefined || isFinished(state)) return undefined
    const claimed = yield* Effect.result(claimExecution(id, ttl))
    if (claimed._tag === "Success") return claimed.success
    if (claimed.failure._tag !== "LeaseHeld") return yield* claimed.failure
    lease = claimed.failure.lease
  }
})

/** Waits until something happens, or until the other runner's claim is over. */
const awaitTurn = Effect.fnUntraced(function* (lease: Lease): Effect.fn.Return<void, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const left = lease.expiresAt - (yield* Clock.currentTimeMillis)
  yield* Effect.raceFirst(
    store.changes.pipe(Stream.drop(1), Stream.take(1), Stream.runDrain),
    // A dead runner is noticed within a second, not only when its claim is over.
    Effect.sleep(Duration.millis(Math.max(50, Math.min(left, 1_000))))
  )
})

/**
 * Waits for the admission of a request, and keeps the lease for `hold`, for a process that carries on.
 *
 * *Errors*: `Rejected`: `not_found`; `blocked` if it was withdrawn or replaced, or if another process waits with it
 * already.
 */
export const waitForAdmission = Effect.fnUntraced(function* (
  id: CorrelationId,
  { hold }: { readonly hold: Duration.Duration }
): Effect.fn.Return<ExecutionState, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const { owner } = yield* RunnerIdentity
  while (true) {
    const state = yield* store.execution(id)
    if (state === undefined) return yield* unknownExecution(id)
    if (!isQueued(state)) return state
    const wait = Effect.flatMap(claimExecution(id, waitTtl), (claimed) => LeaseKeeper.keep(claimed, waitTtl)).pipe(
      Effect.flatMap((mine) =>
        Effect.raceFirst(Admission.waitForAdmission({ id, claim: mine.lease, owner, ttl: hold }), mine.lost)
      ),
      Effect.tap((taken) => (taken === undefined ? Effect.void : endOrphanedCommands(state))),
      Effect.scoped
    )
    yield* Effect.catchTags(wait, {
      LeaseLost: () => Effect.void,
      LeaseHeld: ({ lease }) => Effect.fail(reject("waited_for", { execution: id, owner: lease.owner }))
    })
  }
})

const waitTtl = Duration.seconds(15)

/** Returns whether it left the execution to a person, unfinished. */
const carryOn = Effect.fnUntraced(function* (
  id: CorrelationId,
  claimed: Lease,
  ttl: Duration.Duration,
  options: {
    readonly command: CommandExecution | undefined
    readonly shown: string | undefined
    readonly onTurn: () => void
    readonly before: { readonly heldUntil?: number }
  }
): Effect.fn.Return<boolean, Rejected | LeaseHeld | LeaseLost | StoreError, Services | Scope.Scope> {
  const { before, command, onTurn, shown } = options
  const { owner } = yield* RunnerIdentity
  const store = yield* DeploymentStore
  const mine = yield* LeaseKeeper.keep(claimed, ttl)
  const state = yield* store.execution(id)
  if (state === undefined || isFinished(state)) return false
  if (state.kind === "observe" || (state.kind === "run" && state.startedAt === undefined && command === undefined)) {
    return yield* notOurs(state)
  }
  const taken = yield* acquireRunnerLease(state, { claim: mine, owner, ttl })
  if (taken === undefined) return false
  onTurn()
  const lock = yield* LeaseKeeper.keep(taken.lease, ttl, taken.asked)
  yield* endOrphanedCommands(state)
  const journal = yield* openJournal(id, () => [mine.lease(), lock.lease()])
  const providers = yield* Providers
  // A command changes nothing at a provider.
  const ahead =
    state.kind === "run"
      ? new Map<string, number>()
      : yield* fenceOff(journal.request, providers, { claim: mine, lock })
  yield* journal.record(EventId.runner(claimed.fence), {
    _tag: "RunnerClaimed",
    runner: owner,
    fence: claimed.fence,
    resumed: journal.has(EventId.execution("started")),
    ...before,
    ...(yield* tracedMark(id))
  })
  yield* linkCaller(id)
  const { fence, key } = lock.lease()
  yield* journal.record(EventId.lease(fence), { _tag: "LeaseAcquired", key, fence })

  const services = ExecutionContext.of({
    journal,
    control: yield* Control.follow(id),
    claim: mine,
    lock,
    providers,
    ahead,
    halted: yield* Deferred.make<never, StepFailed>(),
    fenced: yield* Deferred.make<never, LeaseLost>(),
    waits: Waits.make(),
    timeouts: new Map(),
    inProgress: new Set(),
    stuck: new Set(),
    left: yield* Deferred.make<void>()
  })
  yield* Monitor.attend(journal)
  const ended = Effect.raceFirst(lock.lost, mine.lost)
  return yield* Effect.raceFirst(
    Effect.scoped(Effect.andThen(obey, state.kind === "run" ? executeCommand(command ?? never, shown) : work(id))).pipe(
      Effect.as(false)
    ),
    Effect.raceAllFirst([
      ended,
      journal.lost,
      Deferred.await(services.fenced),
      Effect.as(Deferred.await(services.left), true)
    ])
  ).pipe(
    Effect.onInterrupt(() => setAside),
    Effect.catchCause((cause) =>
      Cause.hasDies(cause)
        ? // Events from before the defect may not be written yet; the stored state is the last one only after that.
          Effect.exit(Effect.raceFirst(journal.commit, journal.lost)).pipe(
            Effect.andThen(closeAfterDefect(id, Cause.squash(cause), [mine.lease(), lock.lease()])),
            Effect.as(false),
            Effect.raceFirst(Effect.catchDefect(ended, () => Effect.never))
          )
        : Effect.failCause(cause)
    ),
    Effect.mapError(LeaseKeeper.explained(lock, mine)),
    Effect.provideService(ExecutionContext, services)
  )
})

const notOurs = ({ correlationId: execution, kind }: ExecutionState): Rejected =>
  kind === "observe"
    ? reject("only_observed", { execution }, { remedies: [{ _tag: "monitor", execution }] })
    : reject("needs_its_command", { execution }, { remedies: [{ _tag: "run_command", execution }] })

/** Only needed if the command has begun already, and then it is not run again. */
const never: CommandExecution = () => Effect.die(new Error("a command must not be run twice"))

/** Obeys commands from before it runs at once, and later ones as they arrive. */
const obey: Effect.Effect<void, never, ExecutionContext | Scope.Scope> = Effect.gen(function* () {
  const { control, halted } = yield* ExecutionContext
  const heed = (given: ReadonlyArray<Control.IssuedCommand>) => {
    const abort = given.find(({ command }) => command === "abort")
    return abort === undefined ? syncPaused : Deferred.fail(halted, abortedBy(abort))
  }
  yield* heed(yield* control.given)
  yield* control.changes.pipe(Stream.runForEach(heed), Effect.forkScoped)
})

const work = Effect.fnUntraced(function* (
  id: CorrelationId
): Effect.fn.Return<void, never, ExecutionContext | Scope.Scope> {
  const { journal } = yield* ExecutionContext
  const engine = yield* EventLogEngine.make(journal)
  yield* engine.register(ExecutionWorkflow, () => body)
  yield* engine.execute(ExecutionWorkflow, { executionId: id, payload: { correlationId: id } })
  yield* journal.commit
})

const abortedBy = (given: Control.IssuedCommand): StepFailed =>
  new StepFailed({ why: "aborted", info: Control.abortedBy(given) })

/** What an interrupted run leaves: cancelled if nothing was changed yet, otherwise paused, to be resumed. */
const setAside: Effect.Effect<void, never, ExecutionContext> = Effect.gen(function* () {
  const { journal } = yield* ExecutionContext
  const state = journal.state()
  // A command has recorded its own end.
  if (isFinished(state) || state.kind === "run") return yield* journal.commit
  const touched = state.stacks.some(({ name }) =>
    (["deploy_started", "rollback_started", "destroy_started"] as const).some((on) =>
      journal.has(EventId.stack(name, on))
    )
  )
  if (!touched && journal.has(EventId.execution("started"))) {
    yield* endWithNothingChanged(
      new StepFailed({
        why: "aborted",
        info: errorInfo("interrupted", { during: "preparation" })
      })
    )
  } else if (state.status === "in_progress") {
    yield* journal.record(EventId.setAside(journal.size()), {
      _tag: "ExecutionTransitioned",
      on: "paused",
      cause: causeInfo("process_interrupted", {})
    })
  }
  yield* journal.commit
}).pipe(Effect.timeoutOption("5 seconds"), Effect.asVoid)

/** Running again would not fix a defect: the execution ends here, with everything in progress as failed. */
const closeAfterDefect = Effect.fnUntraced(function* (
  id: CorrelationId,
  defect: unknown,
  guards: ReadonlyArray<Lease>
): Effect.fn.Return<void, LeaseLost | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  yield* Effect.logError("the execution met a defect", defect)
  // The stored state, not the journal's: the defect may be that the two differ.
  const decide = Effect.fnUntraced(function* ({ execution: state }: StreamState) {
    if (state === undefined || isFinished(state)) return []
    const environment = yield* store.environment(state.deploymentId, state.environment)
    const at = yield* Clock.currentTimeMillis
    const error = errorInfo(
      "defect",
      {},
      {
        detail: defect instanceof Error ? defect.message : String(defect),
        remedies: [{ _tag: "events", execution: id }]
      }
    )
    return closureEvents(state, environment, at, error)
  })
  const close = Effect.catchTag(ExecutionLog.write(id, decide, guards), "IllegalTransition", Effect.die)
  // Through an outage, like the journal: the keeper of the lease decides when to give up.
  yield* Effect.retry(Effect.asVoid(close), {
    schedule: Schedule.spaced("500 millis"),
    while: (error) => error._tag === "StoreError" && error.isRetryable
  })
})
