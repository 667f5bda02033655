/**
 * The settings of a site in the words of the API.
 */
import type { Json } from "@signalbox/core/spi"
import type { HostingEntry, Rewrite } from "./SiteConfig.ts"

type JsonObject = { readonly [key: string]: Json }

/** The tag that a rewrite with `pinTag` leads to, by service. */
export type TagOf = (service: RunTarget) => string

/** A service of Cloud Run that rewrites lead to. */
export interface RunTarget {
  readonly serviceId: string
  readonly region: string
}

const defaultRegion = "us-central1"

const pattern = ({
  glob,
  regex,
  source
}: {
  readonly glob?: string
  readonly regex?: string
  readonly source?: string
}) => {
  const found = glob ?? source
  return found ? { glob: found } : { regex: regex! }
}

const targetOf = ({ region, serviceId }: NonNullable<Rewrite["run"]>): RunTarget => ({
  serviceId,
  region: region ?? defaultRegion
})

const rewriteOf = (rewrite: Rewrite, tagOf: TagOf): JsonObject => {
  const rule = pattern(rewrite)
  if (rewrite.destination !== undefined) return { ...rule, path: rewrite.destination }
  if (rewrite.run !== undefined) {
    const run = targetOf(rewrite.run)
    return { ...rule, run: { ...run, ...(rewrite.run.pinTag === true ? { tag: tagOf(run) } : {}) } }
  }
  if (rewrite.dynamicLinks === true) return { ...rule, dynamicLinks: true }
  const named = rewrite.function!
  const { functionId, region } = typeof named === "string" ? { functionId: named, region: rewrite.region } : named
  return { ...rule, function: functionId, ...(region === undefined ? {} : { functionRegion: region }) }
}

/** The services whose tags a site pins. */
export const pinned = ({ rewrites = [] }: HostingEntry): ReadonlyArray<RunTarget> => {
  const found = rewrites.flatMap(({ run }) => (run?.pinTag === true ? [targetOf(run)] : []))
  return [...new Map(found.map((run) => [`${run.region}/${run.serviceId}`, run])).values()]
}

export const servingConfig = (entry: HostingEntry, tagOf: TagOf): JsonObject => {
  const { appAssociation, cleanUrls, headers, i18n, redirects, rewrites, trailingSlash } = entry
  return {
    ...(rewrites && { rewrites: rewrites.map((rewrite) => rewriteOf(rewrite, tagOf)) }),
    ...(redirects && {
      redirects: redirects.map(({ destination, type, ...rule }) => ({
        ...pattern(rule),
        location: destination,
        ...(type ? { statusCode: type } : {})
      }))
    }),
    ...(headers && {
      headers: headers.map(({ headers: list = [], ...rule }) => ({
        ...pattern(rule),
        headers: Object.fromEntries(list.map(({ key, value }) => [key, value]))
      }))
    }),
    ...(cleanUrls === undefined ? {} : { cleanUrls }),
    ...(appAssociation === undefined ? {} : { appAssociation }),
    ...(i18n === undefined ? {} : { i18n: { ...i18n } }),
    ...(trailingSlash === undefined ? {} : { trailingSlashBehavior: trailingSlash ? "ADD" : "REMOVE" })
  }
}
