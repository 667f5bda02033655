/**
 * Executions of kind `run`: a foreign command, under the lease, in the log and in the trace.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as EventId from "../../domain/EventId.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import type {
  DeploymentStatus,
  DeploymentTrigger,
  ExecutionTrigger,
  StackTrigger,
  StageTrigger
} from "../../domain/Machines.ts"
import { type CauseInfo, causeOf, type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import type { Release } from "../../domain/Release.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { keptUntouched } from "./FailureHandling.ts"
import { markOf } from "../command/index.ts"
import {
  endStages,
  ExecutionContext,
  stacks,
  transitionDeployment,
  transitionExecution,
  transitionStack,
  transitionStage
} from "../step/index.ts"

/**
 * How a command ended: with a code, or by a signal. `cause` says why it was killed.
 * `leaseExpired` says that it was stopped because its lease was about to end.
 */
export interface CommandOutcome {
  readonly code: number | null
  readonly signal: string | null
  readonly cause?: CauseInfo
  readonly leaseExpired?: boolean
  /** Whether it was asked to stop before it ended. */
  readonly asked: boolean
  /** Why it could not even be started. */
  readonly error?: ErrorInfo
}

/**
 * Runs the command, and ensures that it does not outlive the lease.
 *
 * *Details*: `mark` identifies the processes of the command on its machine. `deadlines` are the times until which the
 * lease is certainly held, the first at once, 0 when it is lost. It is not interrupted: `stopped` ends when an operator
 * aborts or the program is stopped; this function then stops the command and waits for its end.
 */
export type CommandExecution = (context: {
  readonly correlationId: CorrelationId
  readonly mark: string
  readonly ttl: Duration.Duration
  readonly deadlines: Stream.Stream<number>
  readonly stopped: Effect.Effect<void>
}) => Effect.Effect<CommandOutcome>

/**
 * The body of a `run`. A command that was cut off by the death of its runner is not run again: its effects are unknown,
 * and the deployment is `unknown` until the next one. `shown` is the form in the log of a command that was not known
 * when it was registered.
 */
export const executeCommand = Effect.fnUntraced(function* (
  command: CommandExecution,
  shown?: string
): Effect.fn.Return<void, never, ExecutionContext> {
  const { halted, journal, lock } = yield* ExecutionContext
  const { request } = journal
  if (journal.has(EventId.processStarted)) {
    yield* end(cut)
    return yield* journal.commit
  }
  const before = yield* abortion
  if (before !== undefined) {
    yield* endStages("cancelled", { cause: causeOf(before) })
    yield* transitionExecution("cancelled", { error: before })
    return yield* journal.commit
  }
  yield* Effect.uninterruptible(
    Effect.gen(function* () {
      yield* transitionExecution("started")
      yield* moveOwnDeployment("deploy_started")
      yield* transitionStage("deployment", "started")
      yield* eachStack("started", "deploy_started")
      yield* journal.record(EventId.processStarted, {
        _tag: "ProcessStarted",
        command: shown ?? request.command ?? "a command"
      })
    })
  )
  // If it is stopped before its start is recorded, it does not begin.
  yield* Effect.onInterrupt(journal.commit, () => end(neverBegan(request.deploymentBefore)))
  const meanwhile = yield* abortion
  if (meanwhile !== undefined) {
    yield* end(neverBegan(request.deploymentBefore, meanwhile))
    return yield* journal.commit
  }
  const stop = yield* Deferred.make<void>()
  const mark = yield* markOf(request, journal.correlationId, lock.lease().fence)
  const running = Effect.gen(function* () {
    // A separate fiber that is never interrupted: races and time-outs inside work as everywhere.
    const fiber = yield* Effect.forkChild(
      Effect.interruptible(
        command({
          correlationId: journal.correlationId,
          mark,
          ttl: request.spec.leaseTtl,
          deadlines: SubscriptionRef.changes(lock.deadline),
          stopped: Effect.raceFirst(Effect.ignore(Deferred.await(halted)), Deferred.await(stop))
        })
      )
    )
    const ended = yield* Fiber.join(fiber)
    yield* exited(ended)
    yield* end(ended.leaseExpired === true && !ended.asked ? expired(lock.outage()) : outcomeOf(ended))
  })
  // The program may be stopped while the command runs: the command is stopped first, and its end is recorded.
  yield* Effect.raceFirst(
    Effect.uninterruptible(running),
    Effect.onInterrupt(Effect.never, () => Deferred.succeed(stop, undefined))
  )
  yield* journal.commit
})

/** Why the command must not begin, if an operator aborted. */
const abortion: Effect.Effect<ErrorInfo | undefined, never, ExecutionContext> = Effect.gen(function* () {
  const { halted } = yield* ExecutionContext
  if (!(yield* Deferred.isDone(halted))) return undefined
  return (yield* Effect.flip(Deferred.await(halted))).info
})

const exited = (ended: CommandOutcome) =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.record(EventId.processExited, {
      _tag: "ProcessExited",
      code: ended.code,
      signal: ended.signal,
      ...(ended.cause === undefined ? {} : { cause: ended.cause })
    })
  )

interface Outcome {
  readonly stage: StageTrigger
  readonly stack: StackTrigger
  readonly deployment: DeploymentTrigger
  readonly execution: ExecutionTrigger
  readonly error?: ErrorInfo
}

const cut: Outcome = {
  stage: "failed",
  stack: "interrupted",
  deployment: "lost_sight",
  execution: "failed",
  error: errorInfo("command_cut", {})
}

/** The store came back between the end of the command and the end of its lease. */
const expired = (outage: StoreError | undefined): Outcome => ({
  stage: "failed",
  stack: "interrupted",
  deployment: "lost_sight",
  execution: "failed",
  error: errorInfo("lease_expired", { command: true }, { detail: outage?.message })
})

const interrupted: ErrorInfo = errorInfo("interrupted", { during: "command_start" })

const neverBegan = (was: DeploymentStatus, error = interrupted): Outcome => ({
  stage: "cancelled",
  stack: "interrupted",
  deployment: keptUntouched(was),
  execution: "cancelled",
  error
})

const outcomeOf = ({ asked, cause, code, error, signal }: CommandOutcome): Outcome => {
  if (code === 0 && !asked) {
    return { stage: "succeeded", stack: "deploy_completed", deployment: "deploy_completed", execution: "completed" }
  }
  const how = { code: code ?? undefined, signal: signal ?? undefined, cause }
  if (asked) {
    return {
      stage: "cancelled",
      stack: "interrupted",
      // It was stopped halfway, so its effects are unknown.
      deployment: "lost_sight",
      execution: "cancelled",
      error: errorInfo("interrupted", { during: "command", ...how })
    }
  }
  return {
    stage: "failed",
    stack: "deploy_failed",
    deployment: "deploy_failed",
    execution: "failed",
    error: error ?? errorInfo("command_failed", how)
  }
}

const end = ({ deployment, error, execution, stack, stage }: Outcome) =>
  Effect.gen(function* () {
    const cause = error === undefined ? {} : { cause: causeOf(error) }
    yield* eachStack(stage, stack, error)
    yield* transitionStage("deployment", stage, cause)
    yield* moveOwnDeployment(deployment, cause.cause)
    yield* transitionExecution(execution, error === undefined ? {} : { error })
  })

/** A command for single stacks does not change the status of the deployment, as with `deploy-stack`. */
const moveOwnDeployment = (on: DeploymentTrigger, cause?: CauseInfo) =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.request.spec.stacks.length > 0 ? Effect.void : transitionDeployment(on, cause)
  )

const eachStack = (stage: StageTrigger, on: StackTrigger, error?: ErrorInfo) =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const { version } = journal.request
    const release: { readonly release?: Release } =
      on === "deploy_completed" && version !== undefined
        ? { release: { id: `run/${version}`, version, configDigest: "" } }
        : {}
    for (const { name } of yield* stacks) {
      yield* transitionStage("deployment", stage, { stack: name })
      yield* transitionStack(name, on, { ...release, ...(error === undefined ? {} : { error }) })
    }
  })
