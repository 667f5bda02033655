/**
 * A service as the first version of the API shows it, which the vendor's other tools use.
 */
import { ApiError } from "./ApiError.ts"
import type { JsonMessage } from "./Protos.ts"
import { byRevision, type ConditionJson, lastOf, latest, type ServiceJson, type TargetJson } from "./RunState.ts"

/** The name under which its calls are known. */
export const firstVersion = "google.cloud.run.v1.Services"

/** The number of every simulated project. The first version of the API names projects by their number. */
export const projectNumber = "123456"

const location = "cloud.googleapis.com/location"

interface KnativeTarget {
  readonly revisionName?: string
  readonly latestRevision?: boolean
  readonly percent?: number
  readonly tag?: string
}

/** What is replaced of a service. */
interface KnativeService {
  readonly metadata?: {
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
    readonly resourceVersion?: string
  }
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly name?: string } }
    readonly traffic?: ReadonlyArray<KnativeTarget>
  }
}

const targetFrom = ({ percent, revision, tag, type }: TargetJson): KnativeTarget => ({
  ...(type === latest ? { latestRevision: true } : { revisionName: lastOf(revision ?? "") }),
  ...(percent === undefined || percent === 0 ? {} : { percent }),
  ...(tag === undefined ? {} : { tag })
})

const targetOf = ({ latestRevision, percent = 0, revisionName, tag }: KnativeTarget): TargetJson => ({
  ...(latestRevision === true ? { type: latest } : { type: byRevision, revision: revisionName ?? "" }),
  percent,
  ...(tag === undefined ? {} : { tag })
})

const statuses: Readonly<Record<string, string>> = { CONDITION_SUCCEEDED: "True", CONDITION_FAILED: "False" }

const conditionFrom = ({ message, state, type }: ConditionJson) => ({
  type,
  status: statuses[state] ?? "Unknown",
  ...(message === undefined ? {} : { message })
})

/** The template with its name, and what it says in the words of the API that is simulated in full. */
const templateFrom = ({ annotations, labels, revision, ...spec }: ServiceJson["template"]) => ({
  metadata: { name: revision, annotations, labels },
  spec
})

const clean = (value: object): JsonMessage => JSON.parse(JSON.stringify(value)) as JsonMessage

/** The service in the words of the first version. */
export const knative = (json: ServiceJson): JsonMessage => {
  const region = json.name.split("/")[3]!
  return clean({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name: lastOf(json.name),
      namespace: projectNumber,
      uid: json.uid,
      resourceVersion: json.etag,
      generation: Number(json.generation),
      annotations: json.annotations,
      labels: { ...(json["labels"] as object | undefined), [location]: region }
    },
    spec: { template: templateFrom(json.template), traffic: json.traffic.map(targetFrom) },
    status: {
      observedGeneration: Number(json.generation) - (json.reconciling ? 1 : 0),
      latestCreatedRevisionName: json.latestCreatedRevision && lastOf(json.latestCreatedRevision),
      latestReadyRevisionName: json.latestReadyRevision && lastOf(json.latestReadyRevision),
      conditions: [json.terminalCondition, ...json.conditions].map(conditionFrom),
      traffic: json.trafficStatuses.map(targetFrom),
      url: json.uri
    }
  })
}

/** The order of keys means nothing. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part
  )

/** The fields that a replacement changes. The simulator takes no other template than the present one. */
export const replaced = (json: ServiceJson, sent: JsonMessage): JsonMessage => {
  const { metadata = {}, spec = {} } = sent as KnativeService
  const { annotations = {}, labels = {}, resourceVersion = json.etag } = metadata
  if (resourceVersion !== json.etag) {
    const message = `Conflict for resource '${lastOf(json.name)}': version '${resourceVersion}' was specified but current version is '${json.etag}'.`
    throw new ApiError("ABORTED", message)
  }
  if (text(spec.template) !== text(clean(templateFrom(json.template)))) {
    const name = spec.template?.metadata?.name
    if (name === undefined) throw new ApiError("UNIMPLEMENTED", "The simulator takes no new template in this version.")
    throw new ApiError("ALREADY_EXISTS", `Revision named '${name}' with different configuration already exists.`)
  }
  const { [location]: _, ...own } = labels
  return { annotations, labels: own, traffic: (spec.traffic ?? []).map(targetOf) } as unknown as JsonMessage
}
