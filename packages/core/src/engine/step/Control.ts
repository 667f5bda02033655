import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { OperatorCommand } from "../../domain/Event.ts"
import type { CorrelationId, StackName } from "../../domain/Ids.ts"
import { type CauseInfo, type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"

/**
 * An issued command.
 */
export interface IssuedCommand {
  readonly id: string
  readonly position: number
  readonly at: number
  readonly command: OperatorCommand
  readonly by: string
  readonly stack?: StackName
  readonly reason?: string
  readonly cause?: CauseInfo
}

/**
 * The operator commands of one execution, from the beginning and live.
 */
export interface Control {
  readonly given: Effect.Effect<ReadonlyArray<IssuedCommand>>
  /** All commands so far, emitted again with every new one. */
  readonly changes: Stream.Stream<ReadonlyArray<IssuedCommand>>
  /** Waits for the first answer that `find` reads from all commands so far; checks again with every new one. */
  readonly waitFor: <A>(find: (given: ReadonlyArray<IssuedCommand>) => A | undefined) => Effect.Effect<A>
}

/**
 * Whether the last pause was not followed by a resume.
 */
export const isPaused = (given: ReadonlyArray<IssuedCommand>): boolean =>
  given.findLast(({ command }) => command === "pause" || command === "resume")?.command === "pause"

/**
 * Whether a command applies to a stack: commands without a stack apply to all.
 */
export const concerns = (command: IssuedCommand, stack: StackName): boolean =>
  command.stack === undefined || command.stack === stack

/**
 * Why an aborted execution ended.
 */
export const abortedBy = ({ by, cause, reason }: Pick<IssuedCommand, "by" | "cause" | "reason">): ErrorInfo =>
  errorInfo("aborted", { by, cause }, { detail: reason })

/**
 * Follows the commands of an execution until the scope closes.
 *
 * *Gotchas*: an unreadable store is retried forever; the lease notices its loss.
 */
export const follow = Effect.fnUntraced(function* (
  id: CorrelationId
): Effect.fn.Return<Control, never, DeploymentStore | Scope.Scope> {
  const store = yield* DeploymentStore
  const all = yield* SubscriptionRef.make<ReadonlyArray<IssuedCommand>>([])

  const catchUp = Effect.gen(function* () {
    const known = yield* SubscriptionRef.get(all)
    const events = yield* store.events({ stream: id, tags: ["CommandIssued"], after: known.at(-1)?.position ?? 0 })
    const fresh = events.flatMap(({ at, event, id, position }): ReadonlyArray<IssuedCommand> =>
      event._tag === "CommandIssued" ? [{ ...event, id, position, at }] : []
    )
    if (fresh.length === 0) return
    yield* SubscriptionRef.set(all, [...known, ...fresh])
  }).pipe(Effect.retry(Schedule.spaced("200 millis")), Effect.orDie)

  yield* catchUp
  yield* store.changes.pipe(
    Stream.runForEach(() => catchUp),
    Effect.ignore,
    Effect.andThen(Effect.sleep("200 millis")),
    Effect.forever,
    Effect.forkScoped
  )

  return {
    given: SubscriptionRef.get(all),
    changes: SubscriptionRef.changes(all),
    waitFor: (find) =>
      SubscriptionRef.changes(all).pipe(
        Stream.map((given) => Option.fromUndefinedOr(find(given))),
        Stream.filter(Option.isSome),
        Stream.runHead,
        Effect.map((found) => Option.getOrThrow(Option.flatten(found)))
      )
  }
})
