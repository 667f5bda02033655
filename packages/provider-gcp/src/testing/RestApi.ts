/**
 * The API over HTTP with JSON.
 */
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { ApiError } from "./ApiError.ts"
import { iamService, projectsService } from "./Iam.ts"
import { firstVersion } from "./Knative.ts"
import { loggingService } from "./Logging.ts"
import { monitoringService } from "./Monitoring.ts"
import type { Call } from "./ReceivedCalls.ts"
import type { JsonMessage, Protos } from "./Protos.ts"

const run = "google.cloud.run.v2"

interface Route {
  readonly method: string
  readonly path: RegExp
  readonly service: string
  readonly name: string
  /** The request, from the matches of the path, the query and the body. */
  readonly request: (match: ReadonlyArray<string>, query: URLSearchParams, body: JsonMessage) => JsonMessage
  /** The type of the answer. Where the definitions lack it, the answer is sent as it is. */
  readonly response?: string
  /** The type of a request that is checked as a whole. */
  readonly checked?: string
}

const operation = "google.longrunning.Operation"
const services = { service: `${run}.Services` }
const revisions = { service: `${run}.Revisions` }
const jobs = { service: `${run}.Jobs` }
const executions = { service: `${run}.Executions` }
const place = "(projects/[^/]+/locations/[^/]+)"
const oneService = new RegExp(`^/v2/(${place}/services/[^/]+)$`)
const oneRevision = new RegExp(`^/v2/(${place}/services/[^/]+/revisions/[^/]+)$`)

const allJobs = new RegExp(`^/v2/${place}/jobs$`)
const oneJob = new RegExp(`^/v2/(${place}/jobs/[^/:]+)$`)
const oneExecution = new RegExp(`^/v2/(${place}/jobs/[^/]+/executions/[^/:]+)$`)

const given = (query: URLSearchParams, key: string): JsonMessage => {
  const value = query.get(key)
  return value === null ? {} : { [key]: value }
}

const routes: ReadonlyArray<Route> = [
  {
    ...services,
    method: "GET",
    path: oneService,
    name: "GetService",
    request: ([name]) => ({ name: name! }),
    response: `${run}.Service`
  },
  {
    ...services,
    method: "GET",
    path: new RegExp(`^/v2/${place}/services$`),
    name: "ListServices",
    request: ([parent]) => ({ parent: parent! }),
    response: `${run}.ListServicesResponse`
  },
  {
    ...services,
    method: "POST",
    path: new RegExp(`^/v2/${place}/services$`),
    name: "CreateService",
    request: ([parent], query, service) => ({ parent: parent!, service, serviceId: query.get("serviceId") ?? "" }),
    response: operation
  },
  {
    ...services,
    method: "PATCH",
    path: oneService,
    name: "UpdateService",
    request: ([name], query, service) => ({ service: { ...service, name: name! }, ...given(query, "updateMask") }),
    response: operation
  },
  {
    ...services,
    method: "DELETE",
    path: oneService,
    name: "DeleteService",
    request: ([name], query) => ({ name: name!, ...given(query, "etag") }),
    response: operation
  },
  {
    service: firstVersion,
    method: "GET",
    path: new RegExp(`^/v1/(${place}/services/[^/:]+)$`),
    name: "GetService",
    request: ([name]) => ({ name: name! })
  },
  {
    service: firstVersion,
    method: "PUT",
    path: new RegExp(`^/v1/(${place}/services/[^/:]+)$`),
    name: "ReplaceService",
    request: ([name], _, service) => ({ name: name!, service })
  },
  {
    ...revisions,
    method: "GET",
    path: oneRevision,
    name: "GetRevision",
    request: ([name]) => ({ name: name! }),
    response: `${run}.Revision`
  },
  {
    ...revisions,
    method: "GET",
    path: new RegExp(`^/v2/(${place}/services/[^/]+)/revisions$`),
    name: "ListRevisions",
    request: ([parent]) => ({ parent: parent! }),
    response: `${run}.ListRevisionsResponse`
  },
  {
    ...revisions,
    method: "DELETE",
    path: oneRevision,
    name: "DeleteRevision",
    request: ([name]) => ({ name: name! }),
    response: operation
  },
  {
    ...jobs,
    method: "GET",
    path: oneJob,
    name: "GetJob",
    request: ([name]) => ({ name: name! }),
    response: `${run}.Job`
  },
  {
    ...jobs,
    method: "POST",
    path: allJobs,
    name: "CreateJob",
    request: ([parent], query, job) => ({ parent: parent!, job, jobId: query.get("jobId") ?? "" }),
    response: operation
  },
  {
    ...jobs,
    method: "PATCH",
    path: oneJob,
    name: "UpdateJob",
    request: ([name], _, job) => ({ job: { ...job, name: name! } }),
    response: operation
  },
  {
    ...jobs,
    method: "DELETE",
    path: oneJob,
    name: "DeleteJob",
    request: ([name], query) => ({ name: name!, ...given(query, "etag") }),
    response: operation
  },
  {
    ...jobs,
    method: "POST",
    path: new RegExp(`^/v2/(${place}/jobs/[^/:]+):run$`),
    name: "RunJob",
    request: ([name], _, body) => ({ ...body, name: name! }),
    response: operation
  },
  {
    ...executions,
    method: "GET",
    path: oneExecution,
    name: "GetExecution",
    request: ([name]) => ({ name: name! }),
    response: `${run}.Execution`
  },
  {
    ...executions,
    method: "GET",
    path: new RegExp(`^/v2/(${place}/jobs/[^/]+)/executions$`),
    name: "ListExecutions",
    request: ([parent]) => ({ parent: parent! }),
    response: `${run}.ListExecutionsResponse`
  },
  {
    ...executions,
    method: "POST",
    path: new RegExp(`^/v2/(${place}/jobs/[^/]+/executions/[^/:]+):cancel$`),
    name: "CancelExecution",
    request: ([name]) => ({ name: name! }),
    response: operation
  },
  {
    service: monitoringService,
    method: "GET",
    path: /^\/v3\/(projects\/[^/]+)\/timeSeries$/,
    name: "ListTimeSeries",
    request: ([name], query) => ({
      name: name!,
      filter: query.get("filter") ?? "",
      interval: {
        startTime: query.get("interval.startTime") ?? "",
        endTime: query.get("interval.endTime") ?? ""
      },
      aggregation: {
        alignmentPeriod: query.get("aggregation.alignmentPeriod") ?? "",
        perSeriesAligner: query.get("aggregation.perSeriesAligner") ?? "",
        crossSeriesReducer: query.get("aggregation.crossSeriesReducer") ?? "",
        groupByFields: query.getAll("aggregation.groupByFields")
      }
    }),
    checked: "google.monitoring.v3.ListTimeSeriesRequest",
    response: "google.monitoring.v3.ListTimeSeriesResponse"
  },
  {
    service: iamService,
    method: "POST",
    path: /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):testIamPermissions$/,
    name: "TestIamPermissions",
    request: ([account], _, body) => ({ ...body, account: account! })
  },
  {
    service: projectsService,
    method: "GET",
    path: /^\/v1\/projects\/([^/:]+)$/,
    name: "GetProject",
    request: ([project]) => ({ project: project! })
  },
  {
    service: loggingService,
    method: "POST",
    path: /^\/v2\/entries:list$/,
    name: "ListLogEntries",
    request: (_, __, body) => body
  },
  {
    service: "google.longrunning.Operations",
    method: "GET",
    path: new RegExp(`^/v2/(${place}/operations/[^/]+)$`),
    name: "GetOperation",
    request: ([name]) => ({ name: name! }),
    response: operation
  }
]

const answer = async (protos: Protos, call: Call, incoming: IncomingMessage): Promise<JsonMessage> => {
  const { pathname, searchParams } = new URL(incoming.url!, "http://localhost")
  for (const route of routes) {
    const match = route.path.exec(decodeURIComponent(pathname))
    if (match === null || route.method !== incoming.method) continue
    const body = await text(incoming)
    const sent = body === "" ? {} : (JSON.parse(body) as JsonMessage)
    // A client may write enums as numbers, and a mask in either spelling.
    const received = route.request(match.slice(1), searchParams, sent)
    const { job, service } = received
    const normal = {
      ...received,
      ...(typeof service === "object" && route.service !== firstVersion
        ? { service: protos.normal(`${run}.Service`, service as JsonMessage) }
        : {}),
      ...(typeof job === "object" ? { job: protos.normal(`${run}.Job`, job as JsonMessage) } : {})
    }
    const request = route.checked === undefined ? normal : protos.normal(route.checked, normal)
    const json = await call(route.service, route.name, request)
    if (route.response === undefined) return json
    return protos.normal(route.response, json, searchParams.get("$alt")?.includes("enum-encoding=int") === true)
  }
  throw new ApiError("NOT_FOUND", `The simulator has no ${incoming.method} ${pathname}.`)
}

/** Listens on a free port of the loopback interface. */
export const serveRest = async (
  protos: Protos,
  call: Call
): Promise<{ readonly port: number; readonly close: () => void }> => {
  const server = createServer((request, response) => {
    const send = (status: number, json: object) => {
      response.writeHead(status, { "content-type": "application/json" })
      response.end(JSON.stringify(json))
    }
    void answer(protos, call, request).then(
      (json) => send(200, json),
      (error: unknown) => {
        const { details, http, message, status } =
          error instanceof ApiError ? error : new ApiError("INTERNAL", String(error))
        send(http, { error: { code: http, message, status, details } })
      }
    )
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}
