/** Recorded executions: run or followed, read, commanded. */
import type { ExecutionView } from "@signalbox/core/api"
import { executionView } from "@signalbox/core/api/views"
import { Signalbox, type CommandExecution } from "@signalbox/core/engine"
import { CorrelationId, errorInfo, type Execution, type OperatorCommand, StackName } from "@signalbox/core/spi"
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
  /** The log's command if the request has none. */
  readonly shown?: string
}

export interface ExecutionCalls extends Pick<Connection["executions"], "command" | "events" | "get"> {
  /** Its state, for what this package decides by it. */
  readonly read: (id: CorrelationId, signal?: AbortSignal) => Promise<Execution.ExecutionState>
  /** Carries it to its end, here or by following its runner. */
  readonly carry: (id: CorrelationId, carried: Carried) => Promise<Execution.ExecutionState>
  readonly handle: (
    id: CorrelationId,
    joined: boolean,
    carried: Carried,
    droppedStacks?: ReadonlyArray<string>
  ) => ExecutionHandle
  /** Abandons a recorded request that will not be executed here. */
  readonly leave: (id: CorrelationId) => Promise<void>
}

const attempt = <A>(evaluate: () => A) => Effect.try({ try: evaluate, catch: (error) => error })

const interruptedEarly = errorInfo("interrupted", { during: "queue" })

const carryOut = (id: CorrelationId, { command, queueTimeout, shown: line }: Carried) =>
  Effect.scoped(
    Effect.gen(function* () {
      const signalbox = yield* Signalbox
      if (queueTimeout === undefined) return yield* signalbox.executions.run(id, command, line)
      yield* Effect.forkScoped(signalbox.executions.withdrawAfter(id, queueTimeout))
      const state = yield* signalbox.executions.run(id, command, line)
      if (state.error?.code !== "queue_timeout") return state
      return yield* Effect.fail(new QueueTimeoutError({ ...errorView(state.error), correlationId: id }))
    })
  )

/** An execution as programs see it. */
export const shown = (state: Execution.ExecutionState, restorable?: ReadonlySet<CorrelationId>): ExecutionView =>
  executionView(state, Date.now(), restorable)

/** For one connection. */
export const executions = ({ box, by, iterate, run }: Session): ExecutionCalls => {
  const command: ExecutionCalls["command"] = async (correlationId, name, options = {}) =>
    box(
      ({ executions }) =>
        executions.command(named(CorrelationId, "correlationId", correlationId), {
          command: name,
          by: by(options.by),
          ...given("stack", options.stack === undefined ? undefined : named(StackName, "stack", options.stack)),
          ...given("reason", options.reason)
        }),
      options.signal
    )

  const read: ExecutionCalls["read"] = async (id, signal) => {
    const state = await box(({ executions }) => executions.get(id), signal)
    if (state !== undefined) return state
    throw new NotFoundError({
      code: "unknown_execution",
      message: `there is no execution ${id}`,
      hint: "See those there are with executions.list()."
    })
  }

  const get: ExecutionCalls["get"] = async (correlationId, options = {}) =>
    shown(await read(named(CorrelationId, "correlationId", correlationId), options.signal))

  const events: ExecutionCalls["events"] = (correlationId, options = {}) =>
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

  const carry: ExecutionCalls["carry"] = (id, carried) => run(carryOut(id, carried), carried.signal)

  return {
    command,
    read,
    get,
    events,
    carry,
    leave: (id) => box(({ executions }) => executions.leave(id, interruptedEarly), undefined),
    handle: (correlationId, joined, carried, droppedStacks = []) => {
      const done = carry(correlationId, carried).then(shown)
      // A program that does not look at its end is not to be ended by it.
      done.catch(() => undefined)
      const told = (name: OperatorCommand) => (options?: CommandOptions) => command(correlationId, name, options)
      return {
        correlationId,
        joined,
        droppedStacks,
        done,
        state: (options) => get(correlationId, options),
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
