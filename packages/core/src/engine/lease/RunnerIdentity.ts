import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * Who runs executions here, and who is known to be dead.
 *
 * *Details*: `owner` names this process in leases. `isDead` says that an owner cannot come back (its process, on this
 * very host, is gone): its claim is then taken over at once instead of after its time to live. The default knows no
 * dead process; `@signalbox/node` reads it from the operating system.
 */
export const RunnerIdentity = Context.Reference<{
  readonly owner: string
  readonly isDead: (owner: string) => boolean
}>("@signalbox/core/engine/lease/RunnerIdentity", {
  defaultValue: () => ({ owner: "runner", isDead: () => false })
})

/**
 * A unique name: two runs in one process exclude each other like two processes.
 */
export const uniqueOwner: Effect.Effect<string> = Effect.gen(function* () {
  const { owner } = yield* RunnerIdentity
  return `${owner}/${yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)}`
})
