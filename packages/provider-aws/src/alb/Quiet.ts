/**
 * Whether a target group has no requests any more. What the API says of the weights is what was asked for: its nodes take
 * them over one after the other, so requests are counted before targets are taken away.
 */
import { pollUntil, reportProgress } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import { lag, minute } from "../cloudwatch/Requests.ts"
import { stickySeconds } from "./Actions.ts"
import { targetGroupIn } from "../client/arns.ts"
import type { Colour } from "./AlbProperties.ts"
import type { SeenService } from "./SeenService.ts"
import { conflict, type AlbWork } from "./AlbWork.ts"

/** How long a group may still get requests, in milliseconds. */
const patience = 15 * minute

/** Waits for a whole minute in which a target group had no request, after its weight became 0. */
export const quiet = (
  work: AlbWork,
  { actions, state }: Pick<SeenService, "actions" | "state">,
  colour: Colour
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { mutation, poll, properties, requests } = work
    // It had no traffic before the last change either.
    if (state === null || (state.from[colour] === 0 && state.to[colour] === 0)) return
    const began = yield* Clock.currentTimeMillis
    const since = state.since * 1000
    const sticky = since + stickySeconds(actions) * 1000
    if (sticky > began) {
      yield* reportProgress(mutation, `wait until the sessions that stick to ${colour} are over`)
      const over = Effect.map(Clock.currentTimeMillis, (now) => now >= sticky || undefined)
      yield* pollUntil(over, poll)
    }
    if (properties.verifyTraffic === "api") {
      const message = `nothing shows that ${colour} has no requests any more: verifyTraffic is api`
      return yield* reportProgress(mutation, message)
    }
    yield* reportProgress(mutation, `wait for a minute without requests on ${colour}`)
    const from = Math.ceil(since / minute) * minute
    const queries = [
      { metric: "RequestCount", statistic: "Sum" },
      {
        metric: "RequestCount",
        statistic: "Sum",
        targetGroup: targetGroupIn(properties[colour].targetGroup)
      }
    ]
    const look = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const to = Math.floor((now - lag) / minute) * minute
      const [all, own] = yield* requests.read(queries, { from, to })
      for (let start = from; start < to; start += minute) {
        if (all!.has(start) && !own!.get(start)) return "quiet" as const
      }
      // Minutes without any request are not written at all, and look like late ones for a while.
      if (all!.size === 0 && to - from >= 3 * minute) return "quiet" as const
      return now - began > patience ? ("busy" as const) : undefined
    })
    if ((yield* pollUntil(look, poll)) === "busy") {
      return yield* conflict(`${colour} still gets requests, although its weight is 0`)
    }
  })
