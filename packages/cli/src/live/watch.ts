/**
 * Follows an execution on stderr while it runs: a tree on a terminal, a line for each transition otherwise.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Estimate } from "@signalbox/core/analysis"
import type { Signalbox } from "@signalbox/core/engine"
import { type CorrelationId, type Execution, type StoredEvent } from "@signalbox/core/spi"
import { canRedraw, wantsColor } from "../host/color.ts"
import type { Invocation } from "../main/Invocation.ts"
import { isWaiting, lookAt } from "../waiting/lookAt.ts"
import { engine, estimateOf, signalbox } from "../main/services.ts"
import { Redraw } from "./Redraw.ts"
import { render } from "./render.ts"
import { heartbeat, transition } from "./transition.ts"
import { clock, printable } from "./words.ts"

/** Data that is refreshed now and then: the remaining time, and the blockers. */
interface Known {
  readonly estimate: Estimate.Estimate | undefined
  readonly waits: Waits | undefined
}

interface Waits {
  readonly text: string
  /** Its content apart from times, which change constantly. */
  readonly about: string
}

interface View {
  readonly on: (event: StoredEvent, state: Execution.ExecutionState) => void
  readonly tick: (state: Execution.ExecutionState, known: Known) => void
  readonly end: (state: Execution.ExecutionState | undefined) => void
}

const frame = 100
const second = 1000
const silence = 30_000
const look = 10_000

const tree = ({ host, settings }: Invocation): View => {
  const sink = host.stderr
  const redraw = new Redraw(sink)
  const color = wantsColor(host.env, sink, settings.color)
  let dirty = true
  let drawn = 0
  const draw = (state: Execution.ExecutionState, known?: Known) => {
    const now = Date.now()
    const estimate = known?.estimate
    const waits = known?.waits?.text
    const screen = { now, columns: sink.columns(), rows: sink.rows(), color }
    redraw.draw(
      render(state, {
        ...screen,
        ...(estimate === undefined ? {} : { estimate }),
        ...(waits === undefined ? {} : { waits })
      })
    )
    dirty = false
    drawn = now
  }
  const stop = sink.onResize(() => {
    dirty = true
  })
  return {
    on: () => {
      dirty = true
    },
    tick: (state, known) => {
      if (dirty || Date.now() - drawn >= second) draw(state, known)
    },
    end: (state) => {
      stop()
      if (state !== undefined) draw(state)
      redraw.end()
    }
  }
}

const lines = ({ host }: Invocation): View => {
  let last = Date.now()
  let grouped = false
  let told = ""
  const verdicts = new Map<string, string>()
  /** A gate that repeats itself is not a transition. */
  const repeats = ({ event }: StoredEvent): boolean => {
    if (event._tag !== "VerdictReached") return false
    const { stack, step, verdict } = event.verdict
    const before = verdicts.get(`${stack} ${step}`)
    verdicts.set(`${stack} ${step}`, verdict)
    return before === verdict
  }
  const print = (line: string) => {
    last = Date.now()
    host.stderr.write(`${printable(line)}\n`)
  }
  return {
    on: (event, state) => {
      if (!grouped && host.env.GITHUB_ACTIONS === "true") {
        grouped = true
        print(`::group::signalbox ${state.kind} ${state.deploymentId} ${state.environment}`)
      }
      const line = transition(event)
      if (line !== undefined && !repeats(event)) print(line)
    },
    tick: (state, { estimate, waits }) => {
      const now = Date.now()
      const news = waits !== undefined && waits.about !== told
      if (!news && now - last < silence) return
      told = waits?.about ?? ""
      print(waits === undefined ? heartbeat(state, now, estimate) : `${clock(now, now)}  ${waits.text}`)
    },
    end: () => {
      if (grouped) print("::endgroup::")
    }
  }
}

/** Prints nothing: with `--json`, stderr is for errors. */
const silent: View = { on: () => undefined, tick: () => undefined, end: () => undefined }

const viewOf = (invocation: Invocation): View => {
  if (invocation.json) return silent
  return canRedraw(invocation.host.env, invocation.host.stderr) ? tree(invocation) : lines(invocation)
}

const waitsOf = (state: Execution.ExecutionState) =>
  Effect.map(lookAt(state), ({ blockers, message, place }): Waits => ({
    text: message,
    about: [place.position, ...blockers.map(({ kind, who }) => `${kind} ${who}`)].join()
  }))

/**
 * Starts following; the returned effect waits (a little) until the end of the execution has been shown too.
 */
export const watch = Effect.fnUntraced(function* (
  invocation: Invocation,
  id: CorrelationId
): Effect.fn.Return<Effect.Effect<void>, never, Signalbox | Scope.Scope> {
  const { executions } = yield* signalbox
  const { evolve } = yield* engine
  const view = viewOf(invocation)
  let state: Execution.ExecutionState | undefined
  let estimate: Estimate.Estimate | undefined
  let waits: Waits | undefined
  let lookedAt = 0
  let looked: Execution.ExecutionState["status"] | undefined
  yield* Effect.addFinalizer(() => Effect.sync(() => view.end(state)))
  const following = yield* executions.follow(id).pipe(
    Stream.runForEach((stored) =>
      Effect.sync(() => {
        const next = evolve(state, stored.at, stored.event)
        if (Result.isFailure(next)) return
        state = next.success
        view.on(stored, state)
      })
    ),
    // Only the display is lost; the work continues, and reports its own errors.
    Effect.ignore,
    Effect.forkScoped
  )
  yield* Effect.sync(() => {
    const shown = state
    if (shown === undefined) return
    view.tick(shown, { estimate, waits: isWaiting(shown) ? waits : undefined })
  }).pipe(Effect.andThen(Effect.sleep(frame)), Effect.forever, Effect.forkScoped)
  // The queue ahead moves too, and a rollback is different work: known data is refreshed now and then.
  yield* Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const isDue = waits !== undefined || state?.status !== looked || now - lookedAt >= look
    const current = isDue ? yield* executions.get(id) : undefined
    // The remaining time is read each time: it changes while it is shown.
    estimate = yield* estimateOf(current ?? state)
    if (current === undefined) return
    lookedAt = now
    looked = current.status
    waits = isWaiting(current) ? yield* waitsOf(current) : undefined
  }).pipe(Effect.ignore, Effect.andThen(Effect.sleep(second)), Effect.forever, Effect.forkScoped)
  return Fiber.join(following).pipe(Effect.timeout(2 * second), Effect.ignore)
})
