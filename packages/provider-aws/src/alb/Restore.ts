/**
 * Goes back to a checkpoint, removes everything, and restarts.
 */
import type { Checkpoint, ProviderReason, WayBack } from "@signalbox/core/spi"
import { reportProgress } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { TemplateVersion } from "../groups/LaunchProperties.ts"
import { releaseOf } from "../groups/LaunchRelease.ts"
import { restartRefresh } from "../groups/Refresh.ts"
import { empty } from "../groups/Ready.ts"
import type { Failure } from "../client/index.ts"
import { stackKey } from "../client/stackTag.ts"
import { weightsIn } from "./Actions.ts"
import { type Recorded, recorded } from "./Checkpoint.ts"
import { type Colour, colours, otherThan, type AlbProperties } from "./AlbProperties.ts"
import { quiet } from "./Quiet.ts"
import { healthyOf, see, type SeenService } from "./SeenService.ts"
import { clear, fill } from "./Stage.ts"
import { stateKey, type Weights, weightsFrom } from "./State.ts"
import { begin, fail, unchanged, weigh, type AlbWork } from "./AlbWork.ts"

/** Where a release of a checkpoint runs, or is to run again. */
const placeFor = ({ candidate, sides, stable }: SeenService, { colour, release }: Recorded): Colour => {
  const running = [stable, candidate].find((side) => side?.release?.id === release.id)
  if (running) return running.colour
  if (stable !== null) return otherThan(stable.colour)
  return sides[colour].release === null ? colour : otherThan(colour)
}

/** The recorded weights, if all traffic went to where the release is now; all of it otherwise. */
const weightsOf = ({ actions, colour: before }: Recorded, colour: Colour, properties: AlbProperties): Weights => {
  const was = weightsIn(actions as unknown as Parameters<typeof weightsIn>[0], properties)
  const whole = before === colour && was[otherThan(colour)] === 0 && was[colour] > 0
  return whole ? was : weightsFrom(colour, 100, 0)
}

/** The version that a release of a checkpoint was launched from, made again if it was deleted. */
const templateOf = (work: AlbWork, { release, template }: Recorded): Effect.Effect<TemplateVersion, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation, properties } = work
    const there = yield* groups.version(template.id, template.version)
    if (there !== null && releaseOf(there).id === release.id) return template
    const version = yield* groups.ensureVersion(properties.launchTemplate, release, mutation)
    return { id: properties.launchTemplate.id, version }
  })

/** Puts the traffic back to the release of a checkpoint, and takes the other one away. */
export const rollback = (work: AlbWork, checkpoint: Checkpoint): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return yield* destroy(work)
    const goal = yield* recorded(checkpoint)
    let seen = yield* begin(work)
    const colour = placeFor(seen, goal)
    const other = otherThan(colour)
    const to = weightsOf(goal, colour, work.properties)
    // Without traffic on the other one, other weights are as good.
    if (seen.weights[other] > 0) yield* unchanged(work, seen, { back: true, planned: to })
    const facts = { stable: seen.stable?.colour ?? null, capacity: goal.capacity, minimum: goal.minimum }
    const side = seen.sides[colour]
    if (side.release !== null && side.release.id !== goal.release.id) {
      yield* clear(work, seen, colour)
      seen = yield* begin(work)
    }
    const filled = Effect.flatMap(templateOf(work, goal), (template) =>
      fill(work, seen, { colour, template, facts, percent: 100 })
    )
    // The traffic goes first, if anything can take it.
    const carries = side.release?.id === goal.release.id && healthyOf(side) > 0
    if (!carries) yield* filled
    yield* weigh(work, seen, { ...facts, stable: colour }, to)
    if (carries) yield* filled
    seen = yield* begin(work)
    if (seen.sides[other].release === null) return
    yield* quiet(work, seen, other)
    yield* empty(work, seen.sides[other].group.name)
  })

/** How a checkpoint can be restored. */
export const wayBack = (work: AlbWork, checkpoint: Checkpoint): Effect.Effect<WayBack, ProviderReason> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return { how: "switch", why: "nothing was there before" }
    const goal = yield* recorded(checkpoint)
    const { groups, properties } = work
    const { candidate, stable } = yield* see(work, properties)
    const running = [stable, candidate].find((side) => side?.release?.id === goal.release.id)
    const { version } = goal.release
    if (running) return { how: "switch", why: `${version} still runs on ${running.colour}` }
    const { id, version: number } = goal.template
    const there = yield* groups.version(id, number)
    if (there !== null && releaseOf(there).id === goal.release.id) {
      return { how: "rebuild", why: `${version} is launched again from version ${number} of ${id}` }
    }
    const { artifact } = goal.release
    const base = yield* groups.version(properties.launchTemplate.id, properties.launchTemplate.version)
    return base === null || artifact === undefined
      ? { how: "impossible", why: `version ${number} of ${id} was deleted` }
      : { how: "rebuild", why: `version ${number} of ${id} was deleted; ${version} is launched from ${artifact} again` }
  })

/** Takes all instances away. The listener, the groups and their launch template are not Signalbox's, and stay. */
export const destroy = (work: AlbWork): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation } = work
    const { forwarder, sides, stack, state } = yield* begin(work)
    for (const colour of colours) if (sides[colour].release !== null) yield* empty(work, sides[colour].group.name)
    if (stack !== null || state !== null) yield* calls.untag(forwarder, [stackKey, stateKey], mutation)
  })

/** Replaces the instances of the stable release, each one only after its successor is healthy. */
export const restart = (work: AlbWork): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { stable } = yield* begin(work)
    if (stable === null) return yield* fail({ _tag: "Missing", message: "nothing runs" })
    yield* reportProgress(work.mutation, `replace the instances of ${stable.group.name}`)
    yield* restartRefresh(work, stable.group)
  })
