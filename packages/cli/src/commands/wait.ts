import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type CorrelationId, DeploymentId } from "@signalbox/core/spi"
import { type Failure, failure } from "../main/Failure.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { turnView } from "../json/turn.ts"
import { span as spanText } from "../live/words.ts"
import { explaining, placeOf } from "../request/place.ts"
import type { Look } from "../waiting/Look.ts"
import { freeTimeOf, type Pace, turnOf } from "../waiting/waiting.ts"
import { deploymentOrExecution, span } from "./flags.ts"

const day = 86_400_000
const isDeploymentId = Schema.is(DeploymentId)

const next = ({ execution }: Look): string | undefined => {
  if (execution === undefined || execution.finishedAt !== undefined) return undefined
  const id = execution.correlationId
  return execution.kind === "run" ? `signalbox run --correlation-id ${id} -- <command>` : `signalbox attach ${id}`
}

const done = (inv: Invocation, look: Look, holdMs: number): ReadonlyArray<string> => {
  const { deploymentId, degraded, environment, execution } = look
  const type = next(look)
  return [
    execution === undefined
      ? `${inv.paint("green", "✔")} nothing is in the way of ${deploymentId} ${environment}`
      : `${inv.paint("green", "✔")} ${execution.correlationId}: its turn has come${type === undefined ? "" : `, and is kept for ${spanText(holdMs)}`}`,
    ...(degraded === null ? [] : [inv.paint("yellow", "degraded: only the providers were asked")]),
    ...(type === undefined ? [] : [`next:  ${inv.paint("cyan", type)}`])
  ]
}

const tooLate = (waitedFor: string, timeout: number, hint: string): Failure =>
  failure({ code: "wait_timeout", message: `${waitedFor} within ${spanText(timeout)}`, hint })

/** The admission of an execution. */
const theTurn = (inv: Invocation, id: CorrelationId, pace: Pace) => ({
  waited: turnOf(inv, id, pace),
  late: (timeout: number) =>
    tooLate(
      `the turn of ${id} did not come`,
      timeout,
      `Its place is kept: wait on with: signalbox wait ${id} · withdraw it with: signalbox cleanup ${id}`
    )
})

/** Nothing blocks a deployment. */
const aFreeTime = Effect.fnUntraced(function* (inv: Invocation, given: DeploymentId | undefined, pace: Pace) {
  const place = yield* placeOf(inv, given)
  const { environment } = inv.settings
  // The store knows which one is the only one; asked in the same words, it is the same one.
  const same = `signalbox can-deploy${given === undefined ? "" : ` ${given}`} --explain`
  const asked = place.bare && environment === undefined ? same : explaining(place)
  return {
    waited: freeTimeOf(inv, place, pace),
    late: (timeout: number) => tooLate("it was not free", timeout, `See what is in the way: ${asked}`)
  }
})

export const wait = Command.make(
  "wait",
  {
    id: deploymentOrExecution,
    timeout: span("timeout", 0, 30 * day, "Give up after this long; the queue position is kept").pipe(Flag.optional),
    interval: span("interval", 100, day, "How often to print the state (10 seconds)").pipe(Flag.withDefault(10_000)),
    hold: span("hold", 1_000, day, "How long to keep the lease after admission (2 minutes)").pipe(
      Flag.withDefault(120_000)
    )
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const given = Option.getOrUndefined(flags.id)
    const pace = { intervalMs: flags.interval, holdMs: flags.hold }
    const isExecution = given !== undefined && !isDeploymentId(given)
    const { late, waited } = isExecution
      ? theTurn(inv, given, pace)
      : yield* aFreeTime(inv, given as DeploymentId | undefined, pace)
    const timeout = Option.getOrUndefined(flags.timeout)
    const look = yield* (timeout === undefined ? Effect.asSome(waited) : Effect.timeoutOption(waited, timeout)).pipe(
      Effect.onInterrupt(() =>
        isExecution ? inv.say(`its place is kept; withdraw it with: signalbox cleanup ${given}`) : Effect.void
      )
    )
    if (Option.isNone(look)) return yield* late(timeout ?? 0)
    const now = yield* Clock.currentTimeMillis
    yield* inv.item(turnView(look.value, now), () => done(inv, look.value, flags.hold))
  })
).pipe(Command.withDescription("Wait for the admission of a request, or until nothing blocks a deployment"))
