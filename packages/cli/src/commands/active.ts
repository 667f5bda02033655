import { executionView, environmentLockView, placeView, runnerView } from "@signalbox/core/api/views"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { DeploymentId, Environment, Execution } from "@signalbox/core/spi"
import { inkOf, invocation, type Invocation } from "../main/Invocation.ts"
import { placeLine } from "../live/queue.ts"
import { clock, plain } from "../live/words.ts"
import { isWaiting } from "../waiting/lookAt.ts"
import { hasStore, signalbox, withServices } from "../main/services.ts"
import { deployment } from "./flags.ts"
import { executionTable, search, within } from "./history.ts"

/** One in progress: its runner, and its queue position. */
const seen = Effect.fnUntraced(function* (state: Execution.ExecutionState, now: number) {
  const box = yield* signalbox
  const lease = yield* box.executions.runner(state.correlationId)
  const place = yield* box.coordination.place(state)
  return { state, place, view: { ...executionView(state, now), runner: runnerView(lease), ...placeView(place) } }
})
type Seen = Effect.Success<ReturnType<typeof seen>>

/** Active locks, of a deployment or of all. */
const locksOf = Effect.fnUntraced(function* (inv: Invocation, id: DeploymentId | undefined, now: number) {
  const { deployments } = yield* signalbox
  const all = (yield* deployments.list).filter((one) => id === undefined || one.deploymentId === id)
  const { environment } = inv.settings
  return all.flatMap(({ deploymentId, locks = [] }) =>
    locks
      .filter((lock) => lock.until === undefined || lock.until > now)
      .filter((lock) => environment === undefined || lock.environment === environment)
      .map((lock) => ({ deploymentId, lock }))
  )
})

const read = Effect.fnUntraced(function* (
  inv: Invocation,
  flags: { readonly id: Option.Option<DeploymentId>; readonly text: Option.Option<string> },
  now: number
) {
  const box = yield* signalbox
  const id = Option.getOrUndefined(flags.id)
  const page = yield* box.executions.list({
    ...(id === undefined ? {} : { deploymentId: id }),
    ...within(inv),
    ...(Option.isSome(flags.text) ? { text: flags.text.value } : {}),
    finished: false,
    limit: 1000
  })
  const executions = yield* Effect.forEach(page.items, (state) => seen(state, now))
  return { executions, locks: yield* locksOf(inv, id, now) }
})

/** What to do about an execution without a runner. */
const left = ({ state, view }: Seen): string => {
  const { correlationId } = view
  return isWaiting(state)
    ? `${correlationId} is registered, and no process waits with it: signalbox wait ${correlationId} · return its position: signalbox cleanup ${correlationId}`
    : `${correlationId} has no runner any more: signalbox attach ${correlationId}`
}

const lockLine = (
  { deploymentId, lock }: { readonly deploymentId: string; readonly lock: Environment.EnvironmentLock },
  now: number
) =>
  plain(
    `${deploymentId} ${lock.environment} is locked by ${lock.by}${lock.until === undefined ? "" : ` until ${clock(lock.until, now)}`}: ${lock.reason}`
  )

export const active = Command.make(
  "active",
  { id: deployment, text: search },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const now = yield* Clock.currentTimeMillis
    const { executions, locks } = hasStore(inv)
      ? yield* withServices(inv, read(inv, flags, now))
      : { executions: [], locks: [] }
    const view = {
      executions: executions.map((one) => one.view),
      locks: locks.map(({ deploymentId, lock }) => ({ deploymentId, ...environmentLockView(lock) }))
    }
    yield* inv.result(view, () => {
      const waiting = executions.filter((one) => one.view.position !== null && one.view.runner !== null)
      const section = (lines: ReadonlyArray<string>) => (lines.length === 0 ? [] : ["", ...lines])
      const inOrder = waiting.toSorted((one, other) => one.view.position! - other.view.position!)
      return [
        ...(executions.length === 0 ? ["Nothing is in progress."] : executionTable(view.executions, now, inkOf(inv))),
        ...section(inOrder.map((one) => `${one.view.correlationId}: ${placeLine(one.place)}`)),
        ...section(executions.filter((one) => one.view.runner === null && one.state.kind !== "observe").map(left)),
        ...section(locks.map((lock) => inv.paint("yellow", lockLine(lock, now))))
      ]
    })
  })
).pipe(Command.withDescription("List executions in progress, queued requests, and executions without a runner"))
