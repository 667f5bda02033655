import * as Context from "effect/Context"

/**
 * Who runs executions here, and who is known to be dead.
 *
 * *Details*: `owner` names this process in leases. `isDead` says that an owner cannot come back (its process, on this very
 * host, is gone): its claim on an execution is then taken over at once instead of after its time to live. The default knows
 * of no death; `@signalbox/node` reads it from the operating system.
 *
 * @since 0.1.0
 */
export const RunnerIdentity = Context.Reference<{
  readonly owner: string
  readonly isDead: (owner: string) => boolean
}>("@signalbox/core/engine/RunnerIdentity", {
  defaultValue: () => ({ owner: `runner-${Math.random().toString(36).slice(2)}`, isDead: () => false })
})
