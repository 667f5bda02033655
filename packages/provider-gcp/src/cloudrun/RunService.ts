/**
 * Services and revisions of Cloud Run, in one form for both protocols.
 */
import type { Json } from "@signalbox/core/spi"
import { enumName, int, millis, plain, shortName } from "../client/index.ts"

export type JsonObject = { readonly [key: string]: Json }
export type Annotations = Readonly<Record<string, string>>

/** A part of the traffic. `revision` is a short name; for the latest revision, which may be another one soon, it is null. */
export interface Target {
  readonly revision: string | null
  readonly percent: number
  readonly tag?: string
  readonly uri?: string
}

/** What Cloud Run says of one aspect of a service or revision. */
export interface Condition {
  readonly type: string
  readonly state: "SUCCEEDED" | "FAILED" | "RECONCILING" | "PENDING" | ""
  readonly message: string
  readonly reason: string
}

/** `traffic` is what was asked for last, `effective` what requests meet. Names of revisions are short. */
export interface RunService {
  readonly name: string
  readonly generation: number
  readonly etag: string
  readonly annotations: Annotations
  readonly template: JsonObject
  readonly traffic: ReadonlyArray<Target>
  readonly effective: ReadonlyArray<Target>
  readonly reconciling: boolean
  readonly deleting: boolean
  readonly terminal: Condition
  readonly conditions: ReadonlyArray<Condition>
  readonly latestCreated: string
  readonly latestReady: string
  readonly uri: string
  readonly changedAt: number | null
}

export interface RunRevision {
  readonly name: string
  readonly annotations: Annotations
  readonly template: JsonObject
  readonly state: "ready" | "failed" | "pending"
  readonly condition: Condition
  readonly createdAt: number
  readonly logUri: string
}

const states = ["", "CONDITION_PENDING", "CONDITION_RECONCILING", "CONDITION_FAILED", "CONDITION_SUCCEEDED"]
const types = ["", "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"]
// By their numbers in the definition of the API; some numbers are not used.
const commonReasons = (
  ",UNKNOWN,,REVISION_FAILED,PROGRESS_DEADLINE_EXCEEDED,,CONTAINER_MISSING,CONTAINER_PERMISSION_DENIED," +
  "CONTAINER_IMAGE_UNAUTHORIZED,CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED,ENCRYPTION_KEY_PERMISSION_DENIED," +
  "ENCRYPTION_KEY_CHECK_FAILED,SECRETS_ACCESS_CHECK_FAILED,WAITING_FOR_OPERATION,IMMEDIATE_RETRY,POSTPONED_RETRY," +
  "INTERNAL,VPC_NETWORK_NOT_FOUND"
).split(",")
const revisionReasons = (
  ",PENDING,RESERVE,RETIRED,RETIRING,RECREATING,HEALTH_CHECK_CONTAINER_ERROR,CUSTOMIZED_PATH_RESPONSE_PENDING," +
  "MIN_INSTANCES_NOT_PROVISIONED,ACTIVE_REVISION_LIMIT_REACHED,NO_DEPLOYMENT,HEALTH_CHECK_SKIPPED,MIN_INSTANCES_WARMING"
).split(",")

const executionReasons =
  ",JOB_STATUS_SERVICE_POLLING_ERROR,NON_ZERO_EXIT_CODE,CANCELLED,CANCELLING,DELETED,DELAYED_START_PENDING".split(",")

type Wire = Readonly<Record<string, unknown>>

const list = (value: unknown): ReadonlyArray<Wire> => (Array.isArray(value) ? (value as Array<Wire>) : [])

/** Reads a condition from what either protocol sent. */
export const conditionFrom = (value: unknown): Condition => {
  const { executionReason, message, reason, revisionReason, state, type } = (value ?? {}) as Wire
  return {
    type: String(type ?? ""),
    state: enumName(states, state, "CONDITION_") as Condition["state"],
    message: String(message ?? ""),
    reason:
      enumName(commonReasons, reason) ||
      enumName(revisionReasons, revisionReason) ||
      enumName(executionReasons, executionReason)
  }
}

const target = ({ percent, revision, tag, type, uri }: Wire): Target => ({
  revision: enumName(types, type).endsWith("_LATEST") ? null : shortName(revision),
  percent: int(percent),
  ...(tag ? { tag: String(tag) } : {}),
  ...(uri ? { uri: String(uri) } : {})
})

/** Reads a service from what either protocol sent. */
export const serviceFrom = (value: unknown): RunService => {
  const wire = value as Wire
  return {
    name: String(wire["name"]),
    generation: int(wire["generation"]),
    etag: String(wire["etag"] ?? ""),
    annotations: (wire["annotations"] ?? {}) as Annotations,
    template: (plain(wire["template"]) ?? {}) as JsonObject,
    traffic: list(wire["traffic"]).map(target),
    effective: list(wire["trafficStatuses"]).map(target),
    reconciling: wire["reconciling"] === true,
    deleting: millis(wire["deleteTime"]) !== null,
    terminal: conditionFrom(wire["terminalCondition"]),
    conditions: list(wire["conditions"]).map(conditionFrom),
    latestCreated: shortName(wire["latestCreatedRevision"]),
    latestReady: shortName(wire["latestReadyRevision"]),
    uri: String(wire["uri"] ?? ""),
    changedAt: millis(wire["updateTime"])
  }
}

/** What a revision has of the template that made it. */
const templateFields = (
  "labels,scaling,vpcAccess,timeout,serviceAccount,containers,volumes,executionEnvironment,encryptionKey," +
  "maxInstanceRequestConcurrency,serviceMesh,encryptionKeyRevocationAction,encryptionKeyShutdownDuration," +
  "sessionAffinity,nodeSelector,gpuZonalRedundancyDisabled"
).split(",")

const outputsOfContainer = new Set(["buildInfo"])

/** Reads a revision from what either protocol sent. */
export const revisionFrom = (value: unknown): RunRevision => {
  const wire = value as Wire
  const conditions = list(wire["conditions"]).map(conditionFrom)
  const ready = conditions.find(({ type }) => type === "Ready") ?? conditionFrom(undefined)
  const template = (plain(Object.fromEntries(templateFields.map((field) => [field, wire[field]]))) ?? {}) as JsonObject
  const containers = (template["containers"] ?? []) as ReadonlyArray<JsonObject>
  return {
    name: shortName(wire["name"]),
    annotations: (wire["annotations"] ?? {}) as Annotations,
    template: {
      ...template,
      containers: containers.map((one) =>
        Object.fromEntries(Object.entries(one).filter(([field]) => !outputsOfContainer.has(field)))
      )
    },
    state: ready.state === "SUCCEEDED" ? "ready" : ready.state === "FAILED" ? "failed" : "pending",
    condition: ready,
    createdAt: millis(wire["createTime"]) ?? 0,
    logUri: String(wire["logUri"] ?? "")
  }
}
