/**
 * The resources of Cloud Run as JSON, and what decides about them without doing anything.
 */
import { createHash } from "node:crypto"
import { ApiError } from "./ApiError.ts"
import type { JsonMessage } from "./Protos.ts"

/** A call that is simulated. */
export type Handler = (request: JsonMessage, modifier: string) => Promise<JsonMessage> | JsonMessage

export type Mutable<A> = { -readonly [Key in keyof A]: A[Key] }

export interface TargetJson {
  readonly type?: string
  readonly revision?: string
  readonly percent?: number
  readonly tag?: string
}

export interface ConditionJson {
  readonly type: string
  readonly state: string
  readonly message?: string
  readonly lastTransitionTime: string
  readonly reason?: string
  readonly revisionReason?: string
  readonly executionReason?: string
}

export interface TemplateJson {
  readonly revision?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly containers?: ReadonlyArray<{
    readonly image: string
    readonly env?: ReadonlyArray<{ readonly name: string; readonly value?: string }>
  }>
  readonly [key: string]: unknown
}

export interface RevisionJson {
  readonly name: string
  readonly service: string
  readonly generation: string
  readonly createTime: string
  readonly updateTime: string
  readonly reconciling: boolean
  readonly conditions: ReadonlyArray<ConditionJson>
  readonly logUri: string
  readonly etag: string
  readonly [key: string]: unknown
}

/** A service, as the API shows it in JSON. */
export interface ServiceJson {
  readonly name: string
  readonly uid: string
  readonly generation: string
  readonly observedGeneration: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly template: TemplateJson
  readonly traffic: ReadonlyArray<TargetJson>
  readonly trafficStatuses: ReadonlyArray<TargetJson & { readonly uri?: string }>
  readonly createTime: string
  readonly updateTime: string
  readonly etag: string
  readonly reconciling: boolean
  readonly terminalCondition: ConditionJson
  readonly conditions: ReadonlyArray<ConditionJson>
  readonly latestReadyRevision?: string
  readonly latestCreatedRevision?: string
  readonly uri?: string
  readonly [key: string]: unknown
}

export const latest = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
export const byRevision = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

export const lastOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1)

/** A condition that began now. */
export const condition = (
  type: string,
  state: "CONDITION_RECONCILING" | "CONDITION_FAILED" | "CONDITION_SUCCEEDED" | "CONDITION_PENDING",
  more: Partial<ConditionJson> = {}
): ConditionJson => ({ type, state, lastTransitionTime: new Date().toISOString(), ...more })

/** Without the name of the revision, which says nothing about how it runs. */
export const specOf = (template: TemplateJson): string =>
  JSON.stringify({ ...template, revision: "" }, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  )

export const shortHash = (...parts: ReadonlyArray<string>): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 12)

const invalid = (message: string): ApiError => new ApiError("INVALID_ARGUMENT", message)

/** Refuses names and tags that the real service refuses. */
export const checkService = (id: string, { template, traffic = [] }: Partial<ServiceJson>): void => {
  if (!/^[a-z][a-z0-9-]{0,48}$/.test(id) || id.endsWith("-")) throw invalid(`Service name '${id}' is not valid.`)
  if ((template?.containers ?? []).length === 0) throw invalid("template.containers: at least one is required.")
  const revision = template?.revision
  if (revision !== undefined && (!revision.startsWith(`${id}-`) || revision.length > 63)) {
    throw invalid(`Revision name '${revision}' must be prefixed by '${id}-', with up to 63 characters.`)
  }
  const tags = traffic.flatMap(({ tag }) => (tag === undefined ? [] : [tag]))
  for (const tag of tags) {
    if (tag.length < 3) throw invalid(`Traffic tag '${tag}' must have at least 3 characters.`)
    if (tag.length + id.length > 46) throw invalid(`Traffic tag '${tag}' and service name have over 46 characters.`)
  }
  if (new Set(tags).size < tags.length) throw invalid("Traffic tags must be unique.")
  const sum = traffic.reduce((all, { percent = 0 }) => all + percent, 0)
  if (traffic.length > 0 && sum !== 100) throw invalid(`The traffic percentages must sum to 100, but sum to ${sum}.`)
}

/** The fields of an update, from its mask in either spelling. */
export const masked = (mask: string | undefined): ReadonlyArray<string> =>
  (mask ?? "")
    .split(",")
    .filter((path) => path !== "")
    .map((path) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))

/** Fields that only the service writes. */
const outputs = new Set([
  "name",
  "uid",
  "generation",
  "observedGeneration",
  "createTime",
  "updateTime",
  "deleteTime",
  "creator",
  "lastModifier",
  "trafficStatuses",
  "latestReadyRevision",
  "latestCreatedRevision",
  "terminalCondition",
  "conditions",
  "reconciling",
  "uri",
  "urls",
  "etag"
])

/** The service with what an update sends. Without a mask, everything that may be written is replaced. */
export const applied = (service: ServiceJson, sent: JsonMessage, paths: ReadonlyArray<string>): ServiceJson => {
  const next: Record<string, unknown> = { ...service }
  const fields =
    paths.length === 0
      ? [...new Set([...Object.keys(service), ...Object.keys(sent)])].filter((field) => !outputs.has(field))
      : paths
  for (const field of fields) {
    if (field.includes(".")) throw new ApiError("UNIMPLEMENTED", `The simulator takes no mask of '${field}'.`)
    if (outputs.has(field)) continue
    if (sent[field] === undefined) delete next[field]
    else next[field] = sent[field]
  }
  return { ...(next as unknown as ServiceJson), traffic: (next["traffic"] ?? []) as ServiceJson["traffic"] }
}
