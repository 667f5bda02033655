/**
 * How traffic is divided among revisions, as data: what is, and what to ask for.
 */
import type { RunService, Target } from "./RunService.ts"

/** The share of each revision that has traffic, in percent. */
export type Split = ReadonlyMap<string, number>

const named = ({ revision }: Target, { latestReady }: RunService): string => revision ?? latestReady

/** What requests meet now. An entry with a tag alone has no traffic, and the first entry is not special. */
export const effectiveSplit = (service: RunService): Split => {
  const split = new Map<string, number>()
  for (const target of service.effective) {
    if (target.percent === 0) continue
    const revision = named(target, service)
    split.set(revision, (split.get(revision) ?? 0) + target.percent)
  }
  return split
}

/** The tags that others have set, each with the revision that it leads to. */
const foreignTags = (service: RunService, own: string): ReadonlyArray<Target> =>
  service.traffic.flatMap((target) => {
    if (target.tag === undefined || target.tag === own) return []
    const effective = service.effective.find(({ tag }) => tag === target.tag) ?? target
    // One that follows the latest revision stays where it is, so that no candidate appears there.
    return [{ revision: named(effective, service), percent: 0, tag: target.tag }]
  })

/** The revision that has our tag, in what was asked for last. */
export const tagged = ({ traffic }: RunService, own: string): string | null =>
  traffic.find(({ tag }) => tag === own)?.revision ?? null

/** What to ask for: a split by name, our tag on the candidate, and the tags of others where they are. */
export const wanted = (
  service: RunService | null,
  split: Split,
  own: { readonly tag: string; readonly revision: string | null }
): ReadonlyArray<Target> => [
  ...[...split].filter(([, percent]) => percent > 0).map(([revision, percent]) => ({ revision, percent })),
  ...(own.revision === null ? [] : [{ revision: own.revision, percent: 0, tag: own.tag }]),
  ...(service === null ? [] : foreignTags(service, own.tag))
]

/** The shares and tags of targets, however they are put into entries. */
const fingerprint = (targets: ReadonlyArray<Target>): string => {
  const shares = new Map<string, number>()
  const tags: Array<string> = []
  for (const { percent, revision, tag } of targets) {
    const name = revision ?? "the latest"
    if (percent > 0) shares.set(name, (shares.get(name) ?? 0) + percent)
    if (tag !== undefined) tags.push(`${tag} on ${name}`)
  }
  return JSON.stringify([[...shares].sort(([a], [b]) => (a < b ? -1 : 1)), tags.sort()])
}

export const sameTraffic = (left: ReadonlyArray<Target>, right: ReadonlyArray<Target>): boolean =>
  fingerprint(left) === fingerprint(right)

export const showSplit = (split: Split): string =>
  split.size === 0 ? "no traffic" : [...split].map(([revision, percent]) => `${percent} % ${revision}`).join(", ")
