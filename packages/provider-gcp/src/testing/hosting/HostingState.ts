/**
 * The resources of Firebase Hosting as JSON, and what decides about them without doing anything.
 */
import { ApiError } from "../ApiError.ts"

/** A pattern of a rule: a glob, or a regular expression. */
export interface PatternJson {
  readonly glob?: string
  readonly regex?: string
}

export interface RunTargetJson {
  readonly serviceId: string
  readonly region: string
  readonly tag?: string
}

/** How a version answers, in the words of the API. */
export interface ServingConfigJson {
  readonly headers?: ReadonlyArray<PatternJson & { readonly headers: Readonly<Record<string, string>> }>
  readonly redirects?: ReadonlyArray<PatternJson & { readonly statusCode?: number; readonly location: string }>
  readonly rewrites?: ReadonlyArray<
    PatternJson & { readonly path?: string; readonly function?: string; readonly run?: RunTargetJson }
  >
  readonly cleanUrls?: boolean
  readonly trailingSlashBehavior?: "ADD" | "REMOVE"
  readonly i18n?: { readonly root: string }
  readonly appAssociation?: "AUTO" | "NONE"
}

export type VersionStatus = "CREATED" | "FINALIZED" | "DELETED" | "ABANDONED" | "EXPIRED" | "CLONING"

/** A version, as the API shows it in JSON. */
export interface VersionJson {
  readonly name: string
  readonly status: VersionStatus
  readonly config?: ServingConfigJson
  readonly labels?: Readonly<Record<string, string>>
  readonly createTime: string
  readonly createUser: { readonly email: string }
  readonly finalizeTime?: string
  readonly finalizeUser?: { readonly email: string }
  readonly deleteTime?: string
  readonly fileCount?: string
  readonly versionBytes?: string
}

/** A release, as the API shows it in JSON. */
export interface ReleaseJson {
  readonly name: string
  readonly version?: VersionJson
  readonly type: "DEPLOY" | "ROLLBACK" | "SITE_DISABLE"
  readonly message?: string
  readonly releaseTime: string
  readonly releaseUser: { readonly email: string }
}

/** A channel, as the API shows it in JSON. */
export interface ChannelJson {
  readonly name: string
  readonly url: string
  readonly release?: ReleaseJson
  readonly labels?: Readonly<Record<string, string>>
  readonly createTime: string
  readonly updateTime: string
  readonly ttl?: string
  readonly expireTime?: string
}

export const lastPart = (name: string): string => name.slice(name.lastIndexOf("/") + 1)

/** The longest that a channel may last, in seconds. */
const longestTtl = 30 * 24 * 60 * 60

/** The seconds of a duration such as `604800s`. */
export const secondsOf = (ttl: unknown): number => {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(ttl))?.[1]
  if (seconds === undefined || Number(seconds) > longestTtl) {
    throw new ApiError("INVALID_ARGUMENT", `Channel TTL '${String(ttl)}' must be a duration of up to 30 days.`)
  }
  return Number(seconds)
}

/** Refuses a channel whose name would not fit into its host name. */
export const checkChannel = (site: string, channel: string): void => {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(channel) || channel === "live") {
    throw new ApiError("INVALID_ARGUMENT", `Channel ID '${channel}' is not valid.`)
  }
  if (`${site}--${channel}-00000000`.length > 63) {
    throw new ApiError("INVALID_ARGUMENT", `Channel ID '${channel}' is too long for site '${site}'.`)
  }
}

/** Refuses labels that the platform's other services refuse. */
export const checkLabels = (labels: Readonly<Record<string, string>>): void => {
  for (const [key, value] of Object.entries(labels)) {
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(key) || !/^[a-z0-9_-]{0,63}$/.test(value)) {
      throw new ApiError("INVALID_ARGUMENT", `Label '${key}: ${value}' is not valid.`)
    }
  }
}

/** Refuses a configuration that is no serving configuration. */
export const checkConfig = (config: ServingConfigJson): void => {
  const rules = [...(config.headers ?? []), ...(config.redirects ?? []), ...(config.rewrites ?? [])]
  for (const { glob, regex } of rules) {
    if ((glob === undefined) === (regex === undefined)) {
      throw new ApiError("INVALID_ARGUMENT", "Each rule must have exactly one of glob and regex.")
    }
  }
  for (const { location, statusCode = 301 } of config.redirects ?? []) {
    if (![301, 302, 303, 304, 307, 308].includes(statusCode) || location === "") {
      throw new ApiError("INVALID_ARGUMENT", `A redirect has status ${statusCode} and location '${location}'.`)
    }
  }
}
