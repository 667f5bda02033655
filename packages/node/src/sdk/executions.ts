/** Executions once they are recorded: carried out or followed, read, commanded. */
import { Signalbox, type CommandExecution } from "@signalbox/core/engine"
import {
  CorrelationId,
  DeploymentStore,
  errorInfo,
  type Execution,
  LeaseStore,
  type OperatorCommand,
  StackName
} from "@signalbox/core/spi"
import { errorView } from "@signalbox/core/text"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CommandOptions } from "./CallOptions.ts"
import type { Connection, ExecutionHandle } from "./Connection.ts"
import { given, named } from "./input.ts"
import type { Session } from "./session.ts"
import { NotFoundError, QueueTimeoutError } from "./SignalboxError.ts"

interface Carried {
  readonly signal: AbortSignal | undefined
  /** In ms. */
  readonly queueTimeout?: number | undefined
  readonly command?: CommandExecution
  /** What the log says of the command where the request did not. */
  readonly shown?: string
}

export interface Executions extends Pick<Connection, "command" | "events" | "execution"> {
  /** Brings it to its end, here or by following whoever does. */
  readonly carry: (id: CorrelationId, carried: Carried) => Promise<Execution.ExecutionState>
  readonly handle: (
    id: CorrelationId,
    joined: boolean,
    carried: Carried,
    droppedStacks?: ReadonlyArray<string>
  ) => ExecutionHandle
  /** Leaves a request alone that was recorded and will not be carried out here. */
  readonly leave: (id: CorrelationId) => Promise<void>
}

const attempt = <A>(evaluate: () => A) => Effect.try({ try: evaluate, catch: (error) => error })

/** Gives back the lease under which a request was recorded, or its place in the queue. */
const giveBack = Effect.fnUntraced(function* (id: CorrelationId) {
  const signalbox = yield* Signalbox
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  if (yield* signalbox.executions.withdraw(id, errorInfo("interrupted", { during: "queue" }))) return
  const [taken] = yield* store.events({ stream: id, tags: ["LeaseAcquired"], limit: 1 })
  if (taken?.event._tag !== "LeaseAcquired") return
  const lease = yield* leases.get(taken.event.key)
  if (lease?.fence === taken.event.fence) yield* leases.release(lease)
})

const carryOut = (id: CorrelationId, { command, queueTimeout, shown }: Carried) =>
  Effect.scoped(
    Effect.gen(function* () {
      const signalbox = yield* Signalbox
      if (queueTimeout === undefined) return yield* signalbox.executions.run(id, command, shown)
      yield* Effect.forkScoped(signalbox.executions.withdrawAfter(id, queueTimeout))
      const state = yield* signalbox.executions.run(id, command, shown)
      if (state.error?.code !== "queue_timeout") return state
      return yield* Effect.fail(new QueueTimeoutError({ ...errorView(state.error), correlationId: id }))
    })
  )

/** Of one connection. */
export const executions = ({ box, by, iterate, run, store }: Session): Executions => {
  const command: Connection["command"] = async (correlationId, name, options = {}) =>
    box(
      (signalbox) =>
        signalbox.executions.command(named(CorrelationId, "correlationId", correlationId), {
          command: name,
          by: by(options.by),
          ...given("stack", options.stack === undefined ? undefined : named(StackName, "stack", options.stack)),
          ...given("reason", options.reason)
        }),
      options.signal
    )

  const execution: Connection["execution"] = async (correlationId, options = {}) => {
    const id = named(CorrelationId, "correlationId", correlationId)
    const state = await store((deployments) => deployments.execution(id), options.signal)
    if (state !== undefined) return state
    throw new NotFoundError({
      code: "unknown_execution",
      message: `there is no execution ${id}`,
      hint: "See those there are with history()."
    })
  }

  const events: Connection["events"] = (correlationId, options = {}) =>
    iterate(
      Stream.unwrap(
        Effect.gen(function* () {
          const signalbox = yield* Signalbox
          const id = yield* attempt(() => named(CorrelationId, "correlationId", correlationId))
          return signalbox.executions.follow(id, options.after)
        })
      ),
      options.signal
    )

  const carry: Executions["carry"] = (id, carried) => run(carryOut(id, carried), carried.signal)

  return {
    command,
    execution,
    events,
    carry,
    leave: (id) => run(giveBack(id)),
    handle: (correlationId, joined, carried, droppedStacks = []) => {
      const done = carry(correlationId, carried)
      // Whoever does not look at its end is not to be ended by it.
      done.catch(() => undefined)
      const told = (name: OperatorCommand) => (options?: CommandOptions) => command(correlationId, name, options)
      return {
        correlationId,
        joined,
        droppedStacks,
        done,
        state: (options) => execution(correlationId, options),
        events: (options) => events(correlationId, options),
        pause: told("pause"),
        resume: told("resume"),
        approve: told("approve"),
        promote: told("promote"),
        retry: told("retry"),
        abort: (reason, options) => command(correlationId, "abort", { ...options, ...given("reason", reason) })
      }
    }
  }
}
