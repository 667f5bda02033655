/**
 * Brings in a candidate on the idle target group: attached without traffic, launched, and healthy twice.
 */
import type { ProviderReason, StackPlan } from "@signalbox/core/spi"
import { reportProgress } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { TemplateVersion } from "../groups/LaunchProperties.ts"
import { empty, markOf, ready } from "../groups/Ready.ts"
import type { Failure } from "../client/index.ts"
import { attachesBoth } from "./Actions.ts"
import { firstColour, PlanData } from "./Plan.ts"
import { type Colour, otherThan } from "./AlbProperties.ts"
import { quiet } from "./Quiet.ts"

import type { SeenService } from "./SeenService.ts"
import type { State, Weights } from "./State.ts"
import { smoke } from "./TestRule.ts"
import { begin, conflict, fail, unchanged, weigh, record, type AlbWork } from "./AlbWork.ts"

/** Instances for a part of a release. */
const partOf = (whole: number, percent: number): number => Math.ceil((whole * percent) / 100)

/** How a place is filled: from what, and with how many instances of a whole release. */
export interface Filling {
  readonly colour: Colour
  readonly template: TemplateVersion
  readonly facts: Pick<State, "capacity" | "minimum" | "stable">
  readonly percent: number
}

/** Launches the instances of a place, and waits until they are healthy. */
export const fill = (
  work: AlbWork,
  seen: SeenService,
  { colour, facts: { capacity, minimum }, percent, template }: Filling
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation } = work
    const { group } = seen.sides[colour]
    const desired = partOf(capacity, percent)
    const size = { desired, minimum: Math.min(partOf(minimum, percent), desired) }
    const version = String(template.version)
    const launches =
      group.templateId !== template.id ||
      group.version !== version ||
      group.desired < size.desired ||
      group.minimum < size.minimum
    // What the group did before is not what this step has caused, also if another process began it.
    const mark = yield* markOf(work, group.name)
    if (launches) {
      yield* reportProgress(mutation, `launch ${desired} instances of version ${version} in ${group.name}`)
      const maximum = Math.max(group.maximum, seen.sides[otherThan(colour)].group.maximum, desired)
      yield* groups.resize(group.name, mutation, {
        ...size,
        desired: Math.max(desired, group.version === version ? group.desired : 0),
        maximum,
        version: template
      })
    }
    const { calls, properties } = work
    const targets = calls.targets(properties[colour].targetGroup)
    const waiting = { ...work, name: group.name, targets, startSeconds: properties.startSeconds }
    yield* ready(waiting, { desired, version }, mark)
  })

/** Takes away what an earlier release has left in a place, which has no traffic. */
export const clear = (work: AlbWork, seen: SeenService, colour: Colour): Effect.Effect<void, Failure> =>
  seen.weights[colour] > 0
    ? conflict(`${colour} still has a weight of ${seen.weights[colour]}`)
    : Effect.andThen(quiet(work, seen, colour), empty(work, seen.sides[colour].group.name))

const dataOf = (plan: StackPlan): Effect.Effect<PlanData, ProviderReason> =>
  Option.match(Schema.decodeUnknownOption(PlanData)(plan.data), {
    onNone: () => fail({ _tag: "Invalid", message: "the plan has no size", path: [] }),
    onSome: (data) => Effect.succeed(data)
  })

/** Stages the candidate of a plan, without traffic. */
export const stage = (work: AlbWork, plan: StackPlan, percent: number): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation, properties } = work
    const { candidate: release } = plan
    const { capacity, minimum, weights: planned } = yield* dataOf(plan)
    let seen = yield* begin(work)
    if (seen.stable?.release!.id === release.id) return
    yield* unchanged(work, seen, { planned })
    const colour = seen.stable === null ? firstColour(seen) : otherThan(seen.stable.colour)
    const left = seen.sides[colour].release
    if (left !== null && left.id !== release.id) {
      yield* clear(work, seen, colour)
      seen = yield* begin(work)
    }
    const number = yield* groups.ensureVersion(properties.launchTemplate, release, mutation)
    const facts = { stable: seen.stable?.colour ?? null, capacity, minimum }
    const staged = seen.candidate?.release!.id === release.id
    const weights: Weights = staged ? seen.weights : without(seen, colour)
    if (attachesBoth(seen.actions, properties)) {
      if (weights[colour] === seen.weights[colour]) yield* record(work, seen, facts)
      else yield* weigh(work, seen, facts, weights)
    } else {
      yield* reportProgress(mutation, `attach the target group of ${colour} without traffic`)
      yield* weigh(work, seen, facts, weights)
    }
    yield* fill(work, seen, {
      colour,
      template: { id: properties.launchTemplate.id, version: number },
      facts,
      percent
    })
    yield* smoke(work, colour)
  })

/** The weights without one colour. The other one gets all, so that something is always forwarded to. */
const without = ({ weights }: SeenService, colour: Colour): Weights => {
  const other = otherThan(colour)
  return { ...weights, [colour]: 0, [other]: weights[other] === 0 ? 100 : weights[other] }
}
