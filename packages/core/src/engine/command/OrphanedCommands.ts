/**
 * Commands that survive after their runner and their guard are gone.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type ExecutionState, isFinished } from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { sha256 } from "../../telemetry/sha256.ts"

/**
 * The commands on this machine.
 *
 * *Details*: each bears a mark, which begins with a hash of `store`: a correlation id is meaningful only in its own
 * store, and a machine may know several; commands and their children see no more of it. `marks` returns the running
 * marks with that prefix, `kill` ends the processes of one. The default knows no command; `@signalbox/node` reads them
 * from the operating system.
 */
export const LocalCommands = Context.Reference<{
  readonly store: () => string
  readonly marks: (prefix: string) => ReadonlyArray<string>
  readonly kill: (prefix: string) => void
}>("@signalbox/core/engine/command/LocalCommands", {
  defaultValue: () => ({ store: () => "", marks: () => [], kill: () => undefined })
})

type CommandPlace = Pick<ExecutionState, "deploymentId" | "environment">

const marksOf = Effect.map(
  LocalCommands,
  ({ store }) =>
    ({ deploymentId, environment }: CommandPlace) =>
      `${sha256(store()).slice(0, 16)}/${deploymentId}/${environment}/`
)

/** The mark of an execution's command, under one lease. */
export const markOf = (place: CommandPlace, id: CorrelationId, fence: number): Effect.Effect<string> =>
  Effect.map(marksOf, (prefix) => `${prefix(place)}${id}/${fence}`)

/** Whether a mark belongs to an execution, in any store. */
export const isMarkOf = (mark: string, { deploymentId, environment }: CommandPlace, id: string): boolean =>
  mark.split("/").slice(1, 4).join("/") === `${deploymentId}/${environment}/${id}`

/** The marks of the commands that contain a process, the innermost first. */
export const runsAround = ({
  SIGNALBOX_OUTER_RUNS,
  SIGNALBOX_RUN
}: Readonly<Record<string, string | undefined>>): ReadonlyArray<string> =>
  `${SIGNALBOX_RUN ?? ""} ${SIGNALBOX_OUTER_RUNS ?? ""}`.split(" ").filter((mark) => mark !== "")

/**
 * Ends leftover commands after an execution has just acquired the lease, including commands of executions that were closed
 * long before.
 *
 * *Details*: `state` was read before the lease was acquired: only what had begun by then is a leftover of its own
 * command. A command that ended may leave anything running.
 */
export const endOrphanedCommands = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<void, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const here = yield* LocalCommands
  const prefix = (yield* marksOf)(state)
  const found = new Set(here.marks(prefix).map((mark) => mark.slice(prefix.length).split("/")[0] as CorrelationId))
  for (const id of found) {
    const own = id === state.correlationId
    const left = own ? state : yield* store.execution(id)
    if (left?.startedAt === undefined || left.exit !== undefined) continue
    // This process may have been stopped so long that the lease went to another one, whose command is running.
    if (own || isFinished(left)) here.kill(`${prefix}${id}/`)
  }
})
