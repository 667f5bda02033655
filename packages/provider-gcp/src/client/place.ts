/**
 * Where a stack leads to, and as whom.
 */
import type { PlanTarget, ProviderReason, StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Gcp } from "./Gcp.ts"
import { gcpReason } from "./gcpReason.ts"

/** A region of a project. */
export interface Place {
  readonly project: string
  readonly region: string
}

const missing = (message: string, path: ReadonlyArray<string>, hint: string) =>
  Effect.fail<ProviderReason>({ _tag: "Invalid", message, path: [...path], hint })

/** The place of a stack. `project` is the one that its properties name. */
export const placeOf = (gcp: Gcp, ref: StackRef, project?: string): Effect.Effect<Place, ProviderReason> =>
  Effect.gen(function* () {
    const region = ref.region ?? gcp.region
    if (region === undefined) {
      return yield* missing("there is no region", [], "Set region of the environment, or CLOUDSDK_RUN_REGION.")
    }
    const configured = project ?? ref.account
    if (configured !== undefined) return { project: configured, region }
    const found = yield* Effect.tryPromise({
      try: () => gcp.project(),
      catch: (error) => gcpReason(error, "resourcemanager.projects.get")
    })
    if (found !== undefined) return { project: found, region }
    const hint = "Set project, account of the environment, or GOOGLE_CLOUD_PROJECT."
    return yield* missing("there is no project", ["project"], hint)
  })

/** What a plan shows before the first change: project, region and principal. */
export const targetOf = (gcp: Gcp, place: Place): Effect.Effect<PlanTarget, ProviderReason> =>
  Effect.tryPromise({
    try: async () => {
      const principal = await gcp.principal()
      return { account: place.project, ...place, ...(principal === undefined ? {} : { principal }) }
    },
    catch: (error) => gcpReason(error, "iam.serviceAccounts.get")
  })
