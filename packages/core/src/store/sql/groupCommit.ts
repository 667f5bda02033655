import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Commit, AppendOutcome } from "../Encoded.ts"

interface Waiting {
  readonly commit: Commit
  readonly done: Deferred.Deferred<AppendOutcome, SqlError>
}

/** The maximum number of commits in one transaction: others of this process wait for that long. */
const most = 64

/**
 * Lets the commits of all fibers that are ready at the same time share one SQLite transaction, and so one wait for the
 * disk. Each keeps its own outcome: a rejected one is rolled back individually (`alone` in a transaction makes a
 * savepoint). If the transaction fails, each is tried individually. A stream with one writer, such as one execution,
 * waits for no other.
 */
export const makeGroupCommit = (
  sql: SqlClient,
  alone: (commit: Commit) => Effect.Effect<AppendOutcome, SqlError>
): ((commit: Commit) => Effect.Effect<AppendOutcome, SqlError>) => {
  const waiting: Array<Waiting> = []
  let isLed = false
  let last = ""

  const single = ({ commit, done }: Waiting) =>
    Effect.flatMap(Effect.exit(alone(commit)), (exit) => Deferred.done(done, exit))

  const together = Effect.fnUntraced(function* (group: ReadonlyArray<Waiting>) {
    if (group.length === 1) return yield* single(group[0]!)
    const exit = yield* Effect.exit(sql.withTransaction(Effect.forEach(group, ({ commit }) => alone(commit))))
    yield* Exit.isSuccess(exit)
      ? Effect.forEach(group, ({ done }, index) => Deferred.succeed(done, exit.value[index]!), { discard: true })
      : Effect.forEach(group, single, { discard: true })
  })

  const lead = Effect.gen(function* () {
    // The first fiber that is ready commits first.
    yield* Effect.yieldNow
    while (waiting.length > 0) yield* together(waiting.splice(0, most))
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        isLed = false
      })
    ),
    Effect.uninterruptible
  )

  return (commit) =>
    Effect.suspend(() => {
      const isAlone = !isLed && commit.stream === last
      last = commit.stream
      if (isAlone) return alone(commit)
      const done = Deferred.makeUnsafe<AppendOutcome, SqlError>()
      waiting.push({ commit, done })
      if (isLed) return Deferred.await(done)
      isLed = true
      return Effect.andThen(lead, Deferred.await(done))
    })
}
