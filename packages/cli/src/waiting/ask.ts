/**
 * Asks whether something may be deployed: the store, and if that is unavailable, only the providers.
 */
import type { CanDeployRequest } from "@signalbox/core/api"
import * as Effect from "effect/Effect"
import { Providers, type StoreError } from "@signalbox/core/spi"
import { isAway } from "./away.ts"
import { type Failure, failure } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import { type Place, pluginsOf, settled } from "../request/place.ts"
import { engine, hasStore, signalbox } from "../main/services.ts"
import { providersOf, withProviders } from "../request/plugins.ts"

const unavailable = (error: StoreError): Failure =>
  failure({
    code: "no_answer",
    message: error.message,
    hint: "Check SIGNALBOX_DATABASE_URL and the network, then ask again; without an answer, deploy nothing."
  })

/** The providers' answer alone. */
export const askProviders = (inv: Invocation, question: CanDeployRequest, away: StoreError) =>
  Effect.flatMap(engine, ({ CanDeploy }) =>
    Effect.flatMap(providersOf(inv, { bare: inv.settings.config === undefined }), (providers) =>
      Effect.provideService(CanDeploy.canDeployWithoutStore(question, away), Providers, providers)
    )
  ).pipe(Effect.catchTag("StoreError", (error) => Effect.fail(unavailable(error))))

/** The question about the place as the store knows it. If there is no store yet, it is a place that may be created. */
export const settledIn = <A extends CanDeployRequest>(inv: Invocation, place: Place, question: A) =>
  hasStore(inv)
    ? Effect.map(settled(inv, place), ({ environment, manifest }): A => ({ ...question, environment, manifest }))
    : Effect.succeed(question)

/** Asks both. If there is no store yet, nothing blocks a place that may be created; no other exists. */
export const ask = (inv: Invocation, place: Place, question: CanDeployRequest) =>
  withProviders(
    inv,
    pluginsOf(place),
    Effect.gen(function* () {
      const box = yield* signalbox
      const asked = yield* settledIn(inv, place, question)
      const answer = yield* Effect.catchTag(box.coordination.canDeploy(asked), "StoreError", (error) =>
        Effect.fail(isAway(error) ? unavailable(error) : error)
      )
      return { answer, environment: asked.environment }
    }),
    { create: !place.named }
  ).pipe(
    Effect.catchIf(isAway, (away) =>
      Effect.map(askProviders(inv, question, away), (answer) => ({ answer, environment: question.environment }))
    )
  )
