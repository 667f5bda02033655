/**
 * The rule that leads to the candidate before it has traffic, and the first requests over it.
 */
import { type ProviderReason, pollUntil, reportProgress } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import { forwardIn } from "./Actions.ts"
import type { Colour } from "./AlbProperties.ts"
import { fail, type AlbWork } from "./AlbWork.ts"

/** So many answers in a row have to be good. */
const enough = 3

/** How long nodes of the load balancer may take over a rule, in milliseconds. */
const patience = 60_000

const answers = (url: string): Effect.Effect<number> =>
  Effect.promise(async (signal) => {
    try {
      const response = await fetch(url, { redirect: "manual", signal })
      await response.body?.cancel()
      return response.status
    } catch {
      return 0
    }
  })

/** Leads the test rule to a place, and asks there until the answers are no errors. */
export const smoke = (work: AlbWork, colour: Colour): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, poll, properties } = work
    const { testRule, testUrl } = properties
    if (testRule === undefined || testUrl === undefined) return
    const { targetGroup } = properties[colour]
    const actions = yield* calls.actions(testRule)
    if (forwardIn(actions)?.TargetGroupArn !== targetGroup) {
      yield* reportProgress(mutation, `lead the test rule to ${colour}`)
      const others = actions.filter(({ Type }) => Type !== "forward")
      const forward = { ...forwardIn(actions), Type: "forward" as const, TargetGroupArn: targetGroup }
      yield* calls.setActions(testRule, [...others, { ...forward, ForwardConfig: undefined }], mutation)
    }
    const began = yield* Clock.currentTimeMillis
    let good = 0
    yield* pollUntil(
      Effect.gen(function* () {
        const status = yield* answers(testUrl)
        if (status > 0 && status < 500) {
          good += 1
          return good >= enough || undefined
        }
        good = 0
        if ((yield* Clock.currentTimeMillis) - began < patience) return undefined
        const why = status === 0 ? "nothing answers" : `it answers ${status}`
        return yield* fail({
          _tag: "Broken",
          message: `${why} at ${testUrl}`,
          resource: colour
        } satisfies ProviderReason)
      }),
      { first: Math.min(poll.first, 500), most: Math.min(poll.most, 2000) }
    )
  })
