import { estimateView, executionView } from "@signalbox/core/api/views"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Execution } from "@signalbox/core/spi"
import { outage } from "../waiting/away.ts"
import { ExitCode, exitCodeOf } from "../main/ExitCode.ts"
import { canRedraw, wantsColor } from "../host/color.ts"
import { inkOf, type Invocation } from "../main/Invocation.ts"
import { schemas } from "../json/schemas.ts"
import { Redraw } from "../live/Redraw.ts"
import { render } from "../live/render.ts"
import { outcome } from "../execution/outcome.ts"
import { engine, estimateOf, signalbox } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { isFinished } from "./choices.ts"
import { count, execution } from "./flags.ts"

/**
 * The state whenever something was written, and at least once per interval, until the end, with the estimate of the
 * remaining time. Read-only; sits out an outage.
 */
const states = (inv: Invocation, id: Execution.ExecutionState["correlationId"], seconds: number) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { executions } = yield* signalbox
      const { Monitor } = yield* engine
      const lasting = Monitor.enduring((error) => inv.say(outage(error)))
      const look = Effect.gen(function* () {
        const state = yield* executions.get(id)
        return state === undefined ? undefined : { state, estimate: yield* estimateOf(state) }
      })
      return Stream.merge(executions.changes(id), Stream.tick(`${seconds} seconds`)).pipe(
        Stream.mapEffect(() => lasting(look)),
        Stream.filter((seen) => seen !== undefined),
        Stream.takeUntil(({ state }) => isFinished(state))
      )
    })
  )

const show = (inv: Invocation, first: Execution.ExecutionState, seconds: number, timeout: number | undefined) =>
  Effect.gen(function* () {
    const { stdout } = inv.host
    const redraw = new Redraw(stdout)
    const live = !inv.json && canRedraw(inv.host.env, stdout)
    const color = wantsColor(inv.host.env, stdout, inv.settings.color)
    let last = first
    let shown = ""
    yield* Effect.addFinalizer(() => Effect.sync(() => redraw.end()))
    const all = states(inv, first.correlationId, seconds).pipe(
      Stream.runForEach(
        Effect.fnUntraced(function* ({ estimate, state }) {
          last = state
          const now = yield* Clock.currentTimeMillis
          const screen = { now, columns: stdout.columns(), ...(estimate === undefined ? {} : { estimate }) }
          if (live) return redraw.draw(render(state, { ...screen, rows: stdout.rows(), color }))
          // A stream of lines reports only changes; elapsed time is not a change.
          const { durationMs, ...still } = executionView(state, now)
          const text = JSON.stringify(still)
          if (text === shown) return
          shown = text
          yield* inv.item({ schema: schemas.execution, ...still, durationMs, estimate: estimateView(estimate) }, () =>
            render(state, { ...screen, rows: Number.MAX_SAFE_INTEGER, color: false })
          )
        })
      )
    )
    const ended = yield* timeout === undefined
      ? Effect.as(all, true)
      : Effect.map(Effect.timeoutOption(all, `${timeout} seconds`), Option.isSome)
    if (!inv.json) yield* inv.item(undefined, () => outcome(last, inkOf(inv)))
    yield* inv.exit(ended ? exitCodeOf(last, inv.host.signal()) : ExitCode.timeout)
  })

export const watch = Command.make(
  "watch",
  {
    id: execution,
    interval: count("interval", 1, 3600, "Maximum time between two checks, in seconds (2)").pipe(Flag.withDefault(2)),
    timeout: count("timeout", 1, 604_800, "Give up after this many seconds and exit with 124").pipe(Flag.optional)
  },
  Effect.fnUntraced(function* (flags) {
    const timeout = Option.getOrUndefined(flags.timeout)
    yield* Target.onExecution(flags.id, (inv, target) => Effect.scoped(show(inv, target, flags.interval, timeout)), {
      last: true
    })
  })
).pipe(Command.withDescription("Watch an execution without affecting it (attach carries it on if needed)"))
