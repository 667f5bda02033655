/**
 * Moves traffic between revisions, by names alone: no template is sent.
 */
import type { Percent } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import type { Seen, SeenRevision } from "./Seen.ts"
import { wanted } from "./Split.ts"
import { atRest, begin, change, conflict, fail, routed, type Work } from "./Work.ts"

/** The service at rest, after what this step or an earlier one has begun. */
const settled = (work: Work): Effect.Effect<Seen, Failure> =>
  Effect.gen(function* () {
    let seen = yield* begin(work)
    if (seen?.service.reconciling === true) {
      yield* atRest(work)
      seen = yield* begin(work)
    }
    return seen ?? (yield* fail({ _tag: "Missing", message: `there is no service ${work.name}` }))
  })

const releaseIn = (seen: Seen, id: string): Effect.Effect<SeenRevision, Failure> => {
  const found = [seen.candidate, seen.stable].find((one) => one?.release.id === id)
  return found ? Effect.succeed(found) : fail({ _tag: "Missing", message: `no revision of release ${id} is staged` })
}

export const shift = (
  work: Work,
  { percent, releaseId }: { readonly releaseId: string; readonly percent: Percent }
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (!Number.isInteger(percent)) {
      const message = `Cloud Run divides traffic by whole percents, not by ${percent}`
      return yield* fail({ _tag: "Unsupported", message, capability: "fractions of a percent" })
    }
    const seen = yield* settled(work)
    const { candidate, service, stable } = seen
    const revision = yield* releaseIn(seen, releaseId)
    if (percent > 0 && revision.state !== "ready") return yield* conflict(`${revision.name} is not ready`)
    const rest = stable ?? revision
    const split =
      rest === revision
        ? new Map([[revision.name, 100]])
        : new Map([
            [revision.name, percent],
            [rest.name, 100 - percent]
          ])
    const traffic = wanted(service, split, { tag: work.properties.tag, revision: candidate?.name ?? null })
    yield* change(work, seen, { traffic, stable: rest.name })
    yield* routed(work, traffic)
  })

/** Takes the tag from the candidate, and makes the revision that is kept the stable one. Idle revisions cost nothing. */
export const retire = (
  work: Work,
  { capacityPercent, keep }: { readonly keep: string; readonly capacityPercent: Percent }
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (capacityPercent !== 0 && capacityPercent !== 100) {
      const message = "Cloud Run scales revisions by itself"
      return yield* fail({ _tag: "Unsupported", message, capability: "capacity" })
    }
    const seen = yield* settled(work)
    const { revisions, service, split } = seen
    const kept = yield* releaseIn(seen, keep)
    if (capacityPercent === 100) return
    const loaded = [...split].find(([name]) => name !== kept.name && revisions.get(name)?.release.id !== keep)
    if (loaded !== undefined) return yield* conflict(`${loaded[0]} still has ${loaded[1]} % of the traffic`)
    const traffic = wanted(service, new Map([[kept.name, 100]]), { tag: work.properties.tag, revision: null })
    yield* change(work, seen, { traffic, stable: kept.name })
    yield* routed(work, traffic)
  })
