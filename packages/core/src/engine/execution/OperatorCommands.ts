/**
 * Reaches a running execution from any process: commands to it, events from it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as EventId from "../../domain/EventId.ts"
import * as Command from "../../domain/Command.ts"
import type { StoredEvent } from "../../domain/Event.ts"
import { executionMachine } from "../../domain/Machines.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore, type StreamState } from "../../spi/DeploymentStore.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { Attribute, SpanName, traced } from "../../telemetry/index.ts"
import { isRunnerClaim, RunnerIdentity } from "../lease/index.ts"
import { executionClaimKey } from "../../spi/LeaseKey.ts"
import type { CommandRequest } from "../../api/Request.ts"
import { Rejected, unknownExecution } from "../../api/Rejected.ts"
import { ExecutionLog } from "../log/index.ts"
import { tracedMark } from "../trace/index.ts"
import { withdraw } from "../admission/index.ts"
import { abortedBy } from "../step/index.ts"

/**
 * The live claim of the execution's runner, if there is one: neither expired nor held by a process that is known to be
 * dead.
 */
export const runner = Effect.fnUntraced(function* (
  id: CorrelationId
): Effect.fn.Return<Lease | undefined, StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  const { isDead } = yield* RunnerIdentity
  const lease = yield* leases.get(executionClaimKey(id))
  const now = yield* Clock.currentTimeMillis
  return lease === undefined || lease.expiresAt <= now || isDead(lease.owner) || !isRunnerClaim(lease)
    ? undefined
    : lease
})

/**
 * Records a command, if the state of the execution allows it. Aborting a queued execution withdraws it.
 *
 * *Errors*: `Rejected` (`not_found`, `conflict`).
 */
export const command = Effect.fnUntraced(function* (
  id: CorrelationId,
  options: CommandRequest
): Effect.fn.Return<void, Rejected | StoreError, DeploymentStore> {
  const decide = Effect.fnUntraced(function* ({ execution: state, seq }: StreamState) {
    if (state === undefined) return yield* unknownExecution(id)
    const decided = Command.decide(state, options)
    if (Result.isFailure(decided)) return yield* new Rejected({ info: decided.failure })
    const at = yield* Clock.currentTimeMillis
    const event = { ...decided.success, ...(yield* tracedMark(id)) }
    return [{ id: EventId.command(seq + 1, options.command, at), at, event }]
  })
  yield* ExecutionLog.write(id, decide).pipe(
    Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die),
    traced(id, () => ({
      name: SpanName.command(options.command),
      root: true,
      attributes: { [Attribute.command]: options.command }
    }))
  )
  // If it is admitted at this very moment, its runner finds the command.
  if (options.command === "abort") yield* withdraw(id, abortedBy(options))
})

const ends: ReadonlySet<string> = new Set(executionMachine.terminal)

/**
 * The events of an execution, from after a sequence number, live until it has finished.
 */
export const follow = (
  id: CorrelationId,
  after = 0
): Stream.Stream<StoredEvent, Rejected | StoreError, DeploymentStore> =>
  Stream.unwrap(
    Effect.gen(function* (): Effect.fn.Return<
      Stream.Stream<StoredEvent, Rejected | StoreError>,
      StoreError,
      DeploymentStore
    > {
      const store = yield* DeploymentStore
      if ((yield* store.execution(id)) === undefined) return Stream.fail(unknownExecution(id))
      let position = 0
      const news = Effect.gen(function* () {
        const found: Array<StoredEvent> = []
        while (true) {
          const events = yield* store.events({ stream: id, after: position, limit: 1_000 })
          position = events.at(-1)?.position ?? position
          found.push(...events)
          if (events.length < 1_000) return found
        }
      })
      return store.changes.pipe(
        Stream.mapEffect(() => news),
        Stream.flatMap(Stream.fromIterable),
        Stream.takeUntil(({ event }) => event._tag === "ExecutionTransitioned" && ends.has(event.on)),
        // Past the end: a caller that asks for events after the end gets the end of the stream.
        Stream.filter(({ seq }) => seq > after)
      )
    })
  )
