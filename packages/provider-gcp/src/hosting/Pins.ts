/**
 * Rewrites that are pinned to a revision of Cloud Run: the revision gets a tag without traffic, which the rewrite names.
 * Such a tag stays for as long as a version that may be released again needs it.
 */
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Calls as RunCalls } from "../cloudrun/Calls.ts"
import { longestTagged } from "../cloudrun/Names.ts"
import { stateOf, withState } from "../cloudrun/Record.ts"
import type { RunService, Target } from "../cloudrun/RunService.ts"
import { effectiveSplit, sameTraffic } from "../cloudrun/Split.ts"
import { defaultPoll, pollUntil } from "@signalbox/core/spi"
import type { SiteCalls, SiteFailure } from "./SiteCalls.ts"
import { digestOf } from "../marks.ts"
import { pinned, type RunTarget } from "./ServingConfig.ts"
import { invalid, type SiteConfig } from "./SiteConfig.ts"
import { conflict, fail, type SiteWork } from "./SiteWork.ts"

/** A revision that rewrites lead to, by its tag. */
export interface Pin extends RunTarget {
  readonly revision: string
  readonly tag: string
}

const prefix = "sb-"

/** One tag for each revision, so that versions that pin the same one share it. */
const tagOf = (revision: string): string => prefix + digestOf(revision).slice(0, 8)

const callsIn = ({ gcp, project }: SiteWork, region: string) => new RunCalls(gcp, { project, region })

/** The revision with the most traffic. */
const carrying = (service: RunService): string | undefined =>
  [...effectiveSplit(service)].sort(([, a], [, b]) => b - a)[0]?.[0]

const serviceOf = (work: SiteWork, { region, serviceId }: RunTarget): Effect.Effect<RunService, ProviderReason> =>
  Effect.flatMap(callsIn(work, region).service(serviceId), (service) =>
    service === null
      ? fail({ _tag: "Missing", message: `a rewrite leads to service ${serviceId} in ${region}, which is not there` })
      : Effect.succeed(service)
  )

const tagLength = tagOf("").length

/** Fails if a pin of the properties has no rewrite, or a service has too long a name for a tag. */
export const checkPins = ({ properties }: SiteWork, { entry }: SiteConfig): Effect.Effect<void, ProviderReason> => {
  const { config, pins } = properties
  const targets = pinned(entry)
  const stray = Object.keys(pins).find((id) => !targets.some(({ serviceId }) => serviceId === id))
  if (stray !== undefined) {
    const hint = `Pin it in ${config}: "run": { "serviceId": "${stray}", "pinTag": true }`
    return Effect.fail(invalid(["pins", stray], `no rewrite with pinTag leads to ${stray}`, hint))
  }
  const longest = longestTagged - tagLength
  const long = targets.find(({ serviceId }) => serviceId.length > longest)
  return long === undefined
    ? Effect.void
    : Effect.fail(invalid(["config"], `${long.serviceId} cannot be pinned: its name has over ${longest} characters`))
}

/** Which revision each pinned service is pinned to now, by `<region>/<service>`. */
export const pinsOf = (
  work: SiteWork,
  { entry }: SiteConfig
): Effect.Effect<ReadonlyMap<string, Pin>, ProviderReason> =>
  Effect.gen(function* () {
    const found = new Map<string, Pin>()
    for (const target of pinned(entry)) {
      const { region, serviceId } = target
      const revision = work.properties.pins[serviceId] ?? carrying(yield* serviceOf(work, target))
      if (revision === undefined) {
        return yield* fail({ _tag: "Missing", message: `no revision of ${serviceId} in ${region} has traffic to pin` })
      }
      found.set(`${region}/${serviceId}`, { ...target, revision, tag: tagOf(revision) })
    }
    return found
  })

/** Changes the tags of a service, and nothing else: what `LATEST` stands for stays so. */
const retag = (
  work: SiteWork,
  { region, serviceId }: RunTarget,
  change: (traffic: ReadonlyArray<Target>) => ReadonlyArray<Target>
): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const calls = callsIn(work, region)
    const service = yield* serviceOf(work, { region, serviceId })
    const traffic = change(service.traffic)
    if (sameTraffic(traffic, service.traffic)) return
    if (service.reconciling) {
      return yield* fail({
        _tag: "Busy",
        message: `${serviceId} is being changed`,
        operation: `generation ${service.generation} of ${serviceId} is being brought in`
      })
    }
    const state = stateOf(service)
    yield* calls.update(service, work.mutation, {
      traffic,
      annotations:
        state === null
          ? service.annotations
          : withState(service.annotations, { ...state, generation: service.generation + 1 })
    })
  })

/** Whether a service shows a tag on a revision. */
const shows = ({ effective, reconciling }: RunService, { revision, tag }: Pin): boolean =>
  !reconciling && effective.some((target) => target.tag === tag && target.revision === revision)

/** Sets the tags, and waits until they lead to their revisions. */
export const pin = (work: SiteWork, pins: ReadonlyMap<string, Pin>): Effect.Effect<void, SiteFailure> =>
  Effect.forEach(
    pins.values(),
    (one) =>
      Effect.gen(function* () {
        const { revision, serviceId, tag } = one
        const calls = callsIn(work, one.region)
        if ((yield* calls.revision(serviceId, revision))?.state !== "ready") {
          return yield* fail({
            _tag: "Missing",
            message: `revision ${revision} of ${serviceId} is not ready to be pinned`
          })
        }
        if (shows(yield* serviceOf(work, one), one)) return
        yield* retag(work, one, (traffic) => [
          ...traffic.filter((target) => target.tag !== tag),
          { revision, percent: 0, tag }
        ])
        const service = yield* pollUntil(
          Effect.map(serviceOf(work, one), (service) => (service.reconciling ? undefined : service)),
          work.poll ?? defaultPoll
        )
        if (!shows(service, one)) return yield* conflict(`tag ${tag} of ${serviceId} was changed meanwhile`)
      }),
    { discard: true }
  )

/** The tags that the configuration of a version needs, as `<region>/<service>/<tag>`. */
const tagsIn = (config: unknown): ReadonlyArray<string> => {
  const { rewrites = [] } = config as {
    readonly rewrites?: ReadonlyArray<{ readonly run?: RunTarget & { readonly tag?: string } }>
  }
  return rewrites.flatMap(({ run }) => (run?.tag === undefined ? [] : [`${run.region}/${run.serviceId}/${run.tag}`]))
}

/** The tags that a site needs: for what its channels show, and for what may be released again. */
const tagsOf = (calls: SiteCalls): Effect.Effect<ReadonlyArray<string>, ProviderReason> =>
  Effect.gen(function* () {
    const [releases, channels] = yield* Effect.all([calls.releases(), calls.channels()], { concurrency: 2 })
    const shown = [...releases, ...channels.flatMap(({ release }) => release ?? [])]
    return shown.flatMap(({ version }) => tagsIn(version?.config ?? {}))
  })

/**
 * Takes away own tags that no version needs any more. A revision has one tag for all sites of the project, and other
 * tools use it too.
 */
export const unpin = (work: SiteWork, entry: SiteConfig["entry"]): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const targets = pinned(entry)
    const needed = new Set(targets.length === 0 ? [] : yield* tagsOf(work.calls))
    let complete = false
    for (const target of targets) {
      const { region, serviceId } = target
      const isSpare = ({ percent, tag }: Target) =>
        percent === 0 && tag?.startsWith(prefix) === true && !needed.has(`${region}/${serviceId}/${tag}`)
      if (!(yield* serviceOf(work, target)).traffic.some(isSpare)) continue
      if (!complete) {
        const sites = (yield* work.calls.sites()).filter((site) => site !== work.site)
        const others = yield* Effect.forEach(sites, (site) => tagsOf(work.calls.at(site)), { concurrency: 4 })
        for (const tag of others.flat()) needed.add(tag)
        complete = true
      }
      yield* retag(work, target, (traffic) => traffic.filter((one) => !isSpare(one)))
    }
  })
