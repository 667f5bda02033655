/**
 * The settings of a site in `firebase.json`, as the vendor's own tool reads them.
 */
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import type { SiteProperties } from "./SiteProperties.ts"

interface Pattern {
  readonly source?: string
  readonly glob?: string
  readonly regex?: string
}

export type Rewrite = Pattern & {
  readonly destination?: string
  readonly run?: { readonly serviceId: string; readonly region?: string; readonly pinTag?: boolean }
  readonly function?: string | { readonly functionId: string; readonly region?: string; readonly pinTag?: boolean }
  readonly region?: string
  readonly dynamicLinks?: boolean
}

/** One entry of `hosting`. */
export interface HostingEntry {
  readonly site?: string
  readonly target?: string
  readonly public?: string
  readonly source?: string
  readonly ignore?: ReadonlyArray<string>
  readonly headers?: ReadonlyArray<
    Pattern & { readonly headers?: ReadonlyArray<{ readonly key: string; readonly value: string }> }
  >
  readonly redirects?: ReadonlyArray<Pattern & { readonly destination: string; readonly type?: number }>
  readonly rewrites?: ReadonlyArray<Rewrite>
  readonly cleanUrls?: boolean
  readonly trailingSlash?: boolean
  readonly i18n?: { readonly root: string }
  readonly appAssociation?: string
  readonly predeploy?: string | ReadonlyArray<string>
  readonly postdeploy?: string | ReadonlyArray<string>
}

interface FirebaseRc {
  readonly projects?: Readonly<Record<string, string>>
  readonly targets?: Readonly<Record<string, { readonly hosting?: Readonly<Record<string, ReadonlyArray<string>>> }>>
}

/** The settings of one site. `root` is the folder of `firebase.json`, `folder` the one with the files. */
export interface SiteConfig {
  readonly site: string
  readonly entry: HostingEntry
  readonly root: string
  readonly folder: string | null
  readonly shown: string | null
}

export const invalid = (path: ReadonlyArray<string>, message: string, hint?: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path: [...path],
  ...(hint === undefined ? {} : { hint })
})

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT"

const json = <A>(file: string, shown: string): Effect.Effect<A | null, ProviderReason> =>
  Effect.tryPromise({
    try: async () => JSON.parse(await readFile(file, "utf8")) as A,
    catch: (error) =>
      isMissing(error) ? undefined : invalid(["config"], `${shown} cannot be read: ${(error as Error).message}`)
  }).pipe(Effect.catch((reason) => (reason === undefined ? Effect.succeed(null) : Effect.fail(reason))))

/** The one site that a deploy target stands for. */
const siteOfTarget = (rc: FirebaseRc, project: string, target: string): Effect.Effect<string, ProviderReason> => {
  const [site, ...others] = rc.targets?.[project]?.hosting?.[target] ?? []
  if (site === undefined) {
    const hint = `Name its site: firebase target:apply hosting ${target} <site> --project ${project}`
    return Effect.fail(invalid(["target"], `.firebaserc has no hosting target ${target} of project ${project}`, hint))
  }
  return others.length === 0
    ? Effect.succeed(site)
    : Effect.fail(
        invalid(
          ["target"],
          `hosting target ${target} stands for several sites: ${[site, ...others].join(", ")}`,
          `Clear it: firebase target:clear hosting ${target} --project ${project}`
        )
      )
}

const nameOf = ({ site, target }: HostingEntry): string =>
  site ?? (target === undefined ? "(unnamed)" : `target ${target}`)

/** Finds the entry of a stack, and the site that it is about. */
const entryOf = (
  entries: ReadonlyArray<HostingEntry>,
  properties: SiteProperties,
  rc: FirebaseRc,
  project: string
): Effect.Effect<{ readonly entry: HostingEntry; readonly site: string }, ProviderReason> =>
  Effect.gen(function* () {
    const { config, site, target } = properties
    const [first, ...others] = entries
    const known = `${config} has ${entries.map(nameOf).join(", ")}.`
    if (first === undefined) return yield* Effect.fail(invalid(["config"], `${config} has no settings for hosting`))
    if (target !== undefined) {
      const entry = entries.find((one) => one.target === target)
      if (entry === undefined)
        return yield* Effect.fail(invalid(["target"], `${config} has no target ${target}`, known))
      return { entry, site: yield* siteOfTarget(rc, project, target) }
    }
    if (site !== undefined) {
      const named = (one: HostingEntry) =>
        one.site === site || (one.target !== undefined && rc.targets?.[project]?.hosting?.[one.target]?.[0] === site)
      const unnamed = others.length === 0 && first.site === undefined && first.target === undefined
      const entry = entries.find(named) ?? (unnamed ? first : undefined)
      if (entry === undefined) return yield* Effect.fail(invalid(["site"], `${config} has no site ${site}`, known))
      return { entry, site }
    }
    if (others.length > 0) {
      return yield* Effect.fail(invalid(["site"], `${config} has several sites`, `Set site or target: ${known}`))
    }
    if (first.target !== undefined) return { entry: first, site: yield* siteOfTarget(rc, project, first.target) }
    return { entry: first, site: first.site ?? project }
  })

/** What the vendor's tool refuses, and what only it can build. */
const mistakeIn = (entry: HostingEntry, config: string): ProviderReason | undefined => {
  const { i18n, redirects = [], rewrites = [] } = entry
  const wrong = (message: string, hint?: string) => invalid(["config"], `${config}: ${message}`, hint)
  if (entry.site !== undefined && entry.target !== undefined)
    return wrong("an entry has either site or target, not both")
  if (entry.source !== undefined) {
    return wrong(
      "web frameworks (source) are built by firebase-tools only",
      "Build the site in predeploy, and set public."
    )
  }
  const staticRewrites = rewrites.some(({ destination }) => destination !== undefined)
  if (entry.public === undefined && (staticRewrites || i18n !== undefined)) {
    return wrong("rewrites with a destination and i18n need public")
  }
  if (entry.public === undefined && rewrites.length === 0 && redirects.length === 0) {
    return wrong("there is neither public nor a rewrite or redirect")
  }
  if (i18n !== undefined && !i18n.root) return wrong("i18n needs root")
  for (const { glob, regex, source } of [...rewrites, ...redirects, ...(entry.headers ?? [])]) {
    const pattern = glob ?? source
    if (!pattern === !regex) return wrong("each rewrite, redirect and header has either source or regex")
  }
  const actions = ["destination", "function", "run", "dynamicLinks"]
  const idle = rewrites.find((rewrite) => !actions.some((action) => action in rewrite))
  if (idle !== undefined) return wrong(`a rewrite has one of ${actions.join(", ")}`)
  if (rewrites.some((rewrite) => rewrite.region !== undefined && typeof rewrite.function !== "string")) {
    return wrong("region stands beside a function that is a name")
  }
  if (rewrites.some((rewrite) => typeof rewrite.function === "object" && rewrite.function.pinTag === true)) {
    return wrong("a function cannot be pinned here", "Rewrite to its service of Cloud Run: run with pinTag.")
  }
  return undefined
}

/** The default project of `.firebaserc`; undefined if it has none. */
export const defaultProject = (
  directory: string,
  { config }: SiteProperties
): Effect.Effect<string | undefined, ProviderReason> =>
  Effect.map(
    json<FirebaseRc>(join(dirname(resolve(directory, config)), ".firebaserc"), ".firebaserc"),
    (rc) => rc?.projects?.["default"]
  )

/** Reads the settings of a stack's site. `artifact` replaces its folder of files. */
export const siteConfig = (
  directory: string,
  properties: SiteProperties,
  project: string,
  artifact?: string
): Effect.Effect<SiteConfig, ProviderReason> =>
  Effect.gen(function* () {
    const { config, public: folder } = properties
    const file = resolve(directory, config)
    const root = dirname(file)
    const found = yield* json<{ readonly hosting?: HostingEntry | ReadonlyArray<HostingEntry> }>(file, config)
    if (found === null && (folder === undefined || config !== "firebase.json")) {
      const hint = "Set config to the settings of the site, or public to its files."
      return yield* Effect.fail(invalid(["config"], `there is no ${config}`, hint))
    }
    const rc = (yield* json<FirebaseRc>(join(root, ".firebaserc"), ".firebaserc")) ?? {}
    const hosting = found === null ? { public: "." } : (found.hosting ?? [])
    const entries = Array.isArray(hosting) ? (hosting as ReadonlyArray<HostingEntry>) : [hosting as HostingEntry]
    const chosen = yield* entryOf(entries, properties, rc, project)
    const given = artifact ?? folder
    const entry = given === undefined ? chosen.entry : { ...chosen.entry, public: given }
    const mistake = mistakeIn(entry, config)
    if (mistake !== undefined) return yield* Effect.fail(mistake)
    return {
      site: chosen.site,
      entry,
      root,
      folder: entry.public === undefined ? null : resolve(given === undefined ? root : directory, entry.public),
      shown: entry.public ?? null
    }
  })
