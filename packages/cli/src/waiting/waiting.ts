/**
 * Waits for admission, or until nothing blocks a deployment: the core of `wait`, even while the store is unavailable.
 */
import type { CanDeployAnswer, CanDeployRequest } from "@signalbox/core/api"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Look } from "./Look.ts"
import type { CorrelationId, Execution, StoreError } from "@signalbox/core/spi"
import { endedView } from "@signalbox/core/text"
import { askProviders, settledIn } from "./ask.ts"
import { isAway } from "./away.ts"
import { isFinished } from "../commands/choices.ts"
import { exitCodeOf } from "../main/ExitCode.ts"
import { Failure } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import { turnView } from "../json/turn.ts"
import { inShort } from "../live/canDeploy.ts"
import { clock, plain } from "../live/words.ts"
import { isWaiting, lookAt } from "./lookAt.ts"
import { manifestOf } from "../request/manifest.ts"
import { refuseNested } from "../request/nested.ts"
import { type Place, placeOf, pluginsOf } from "../request/place.ts"
import { signalbox } from "../main/services.ts"
import { withProviders } from "../request/plugins.ts"
import * as Target from "../request/target.ts"

/** How often the state is printed, and how long the lease is kept. */
export interface Pace {
  readonly intervalMs: number
  readonly holdMs: number
}

/** A line for each look on stderr; with `json`, an object on stdout. */
const tell = Effect.fnUntraced(function* (inv: Invocation, look: Look) {
  const now = yield* Clock.currentTimeMillis
  const degraded = look.degraded === null ? "" : "degraded: "
  if (inv.json) yield* inv.item(turnView(look, now), () => [])
  else if (!look.turn) yield* inv.say(`${clock(now, now)}  ${degraded}${look.message}`)
})

/** Nothing is printed before this: most requests are admitted at once. */
const briefly = 300

const every = <E, R>(intervalMs: number, look: Effect.Effect<void, E, R>) =>
  Effect.andThen(
    Effect.sleep(Math.min(briefly, intervalMs)),
    Effect.forever(Effect.andThen(look, Effect.sleep(intervalMs)))
  )

/** Why a request will never be admitted. */
export const ended = (state: Execution.ExecutionState): Failure => {
  const { code, hint, message } = endedView(state)
  return new Failure({
    exitCode: exitCodeOf(state, undefined),
    info: { code, message: plain(message), hint: hint ?? `See: signalbox status ${state.correlationId}` }
  })
}

const lookOn = Effect.fnUntraced(function* (execution: Execution.ExecutionState, turn: boolean) {
  const { deploymentId, environment } = execution
  return { deploymentId, environment, execution, ...(yield* lookAt(execution)), degraded: null, turn }
})

/** Waits for the admission of an execution, and holds the lease for it. */
export const turnOf = (inv: Invocation, id: CorrelationId, pace: Pace) => {
  let known: Execution.ExecutionState | undefined
  const look = Effect.gen(function* () {
    const state = yield* Effect.flatMap(signalbox, ({ executions }) => executions.get(id))
    if (state === undefined) return yield* Target.unknownExecution(id)
    known = state
    if (isWaiting(state)) yield* refuseNested(inv, state)
    return yield* lookOn(state, false)
  })
  const attempt = (reached: Effect.Effect<void>) =>
    withProviders(
      inv,
      { of: id },
      Effect.gen(function* () {
        yield* look
        yield* reached
        const box = yield* signalbox
        const progress = every(
          pace.intervalMs,
          Effect.flatMap(look, (now) => tell(inv, now))
        )
        const turn = box.coordination.waitForAdmission(id, { hold: Duration.millis(pace.holdMs) })
        const state = yield* Effect.raceFirst(turn, progress)
        if (!isFinished(state) || state.status === "completed") return yield* lookOn(state, true)
        yield* tell(inv, { ...(yield* lookOn(state, false)), message: ended(state).message })
        return yield* ended(state)
      })
    )
  const without = Effect.fnUntraced(function* (away: StoreError) {
    const manifest = yield* manifestOf(inv)
    const place = known ?? (yield* placeOf(inv, undefined))
    return yield* question(inv, { manifest, deploymentId: place.deploymentId, environment: place.environment }, away)
  })
  return patiently(inv, pace, attempt, without)
}

const question = (inv: Invocation, asked: CanDeployRequest, away: StoreError) =>
  Effect.map(askProviders(inv, asked, away), (answer) => lookOf(asked, answer, false))

const lookOf = (
  { deploymentId, environment }: Pick<CanDeployRequest, "deploymentId" | "environment">,
  { blockers, checkedAt, degraded }: CanDeployAnswer,
  turn: boolean
): Look => ({ deploymentId, environment, blockers, degraded, turn, message: inShort(blockers, checkedAt) })

const questionOf = ({ deploymentId, environment, manifest }: Place): CanDeployRequest => ({
  deploymentId,
  environment,
  manifest
})

/** Waits until nothing blocks a deployment. */
export const freeTimeOf = (inv: Invocation, place: Place, pace: Pace) => {
  const attempt = (reached: Effect.Effect<void>) =>
    withProviders(
      inv,
      pluginsOf(place),
      Effect.gen(function* () {
        const box = yield* signalbox
        const asked = yield* settledIn(inv, place, questionOf(place))
        yield* refuseNested(inv, asked)
        while (true) {
          const answer = yield* box.coordination.canDeploy(asked)
          const look = lookOf(asked, answer, answer.canDeploy)
          if (answer.degraded === null) yield* reached
          if (look.turn) return look
          yield* tell(inv, look)
          yield* Effect.sleep(pace.intervalMs)
        }
      }),
      { create: !place.named }
    )
  return patiently(inv, pace, attempt, (away) =>
    Effect.map(question(inv, questionOf(place), away), (look) => ({ ...look, turn: look.blockers.length === 0 }))
  )
}

/**
 * Retries until it is done. While the store is unavailable, the providers are asked instead, with a message; another
 * one follows when it is back. If neither is available from the beginning, it fails.
 */
const patiently = Effect.fnUntraced(function* <E, E2>(
  inv: Invocation,
  pace: Pace,
  attempt: (reached: Effect.Effect<void>) => Effect.Effect<Look, E>,
  without: (away: StoreError) => Effect.Effect<Look, E2>
): Effect.fn.Return<Look, E | E2 | StoreError> {
  let lost = false
  let met = false
  const reached = Effect.suspend(() => {
    const back = lost
    lost = false
    met = true
    return back ? inv.say("reconciled: the store is back") : Effect.void
  })
  while (true) {
    const tried = yield* Effect.result(attempt(reached))
    if (tried._tag === "Success") return tried.success
    if (!isAway(tried.failure)) return yield* Effect.fail(tried.failure)
    const away: StoreError = tried.failure
    const seen = yield* Effect.result(without(away))
    if (seen._tag === "Failure" && !met) return yield* Effect.fail(isAway(seen.failure) ? seen.failure : away)
    met = true
    lost = true
    if (seen._tag === "Success") {
      if (seen.success.turn) return seen.success
      yield* tell(inv, seen.success)
    } else yield* inv.say(`degraded: neither the store nor a provider can be asked (${plain(away.message)})`)
    yield* Effect.sleep(pace.intervalMs)
  }
})
