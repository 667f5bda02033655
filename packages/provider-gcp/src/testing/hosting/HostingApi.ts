/**
 * The API of Firebase Hosting over HTTP, with what the vendor's tools ask of others before they use it.
 */
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { ApiError } from "../ApiError.ts"
import { projectNumber } from "../Knative.ts"
import type { JsonMessage } from "../Protos.ts"
import type { Call } from "../ReceivedCalls.ts"
import { type Hosting, hostingService } from "./Hosting.ts"

/** The calls by method and path; the parts of a path that begin with a colon go into the request. */
const routes: ReadonlyArray<readonly [method: string, path: string, name: string]> = [
  ["GET", "/sites", "ListSites"],
  ["POST", "/sites", "CreateSite"],
  ["GET", "/sites/:site", "GetSite"],
  ["GET", "/sites/:site/versions", "ListVersions"],
  ["POST", "/sites/:site/versions", "CreateVersion"],
  ["POST", "/sites/:site/versions:clone", "CloneVersion"],
  ["GET", "/sites/:site/versions/:version", "GetVersion"],
  ["PATCH", "/sites/:site/versions/:version", "UpdateVersion"],
  ["DELETE", "/sites/:site/versions/:version", "DeleteVersion"],
  ["POST", "/sites/:site/versions/:version:populateFiles", "PopulateFiles"],
  ["GET", "/sites/:site/channels", "ListChannels"],
  ["POST", "/sites/:site/channels", "CreateChannel"],
  ["GET", "/sites/:site/channels/:channel", "GetChannel"],
  ["PATCH", "/sites/:site/channels/:channel", "UpdateChannel"],
  ["DELETE", "/sites/:site/channels/:channel", "DeleteChannel"],
  ["GET", "/sites/:site/channels/:channel/releases", "ListReleases"],
  ["POST", "/sites/:site/channels/:channel/releases", "CreateRelease"],
  ["POST", "/upload/sites/:site/versions/:version/files/:hash", "UploadFile"]
]

const compiled = routes.map(([method, path, name]) => {
  const inner = path.replaceAll(/:(site|version|channel|hash)\b/g, "(?<$1>[^/:]+)")
  const prefix = path.startsWith("/upload") ? "" : "/v1beta1(?:/projects/(?<project>[^/:]+))?"
  return { method, name, path: new RegExp(`^${prefix}${inner}$`) }
})

/** What tools ask before they deploy: the project, permissions, enabled APIs, tokens. */
const besides = (hosting: Hosting, method: string, path: string, body: JsonMessage): JsonMessage | undefined => {
  const projectId = /^\/v1(?:beta1)?\/projects\/([^/:]+)$/.exec(path)?.[1]
  if (projectId !== undefined) {
    const hostingSite = [...hosting.sites.values()].find(({ project }) => project === projectId)?.id ?? ""
    return { projectId, projectNumber, state: "ACTIVE", resources: { hostingSite } }
  }
  if (path.endsWith(":testIamPermissions")) return { permissions: body["permissions"] ?? [] }
  if (/\/projects\/[^/]+\/services\//.test(path)) return { state: "ENABLED" }
  if (method === "POST" && path.endsWith("token")) {
    return { access_token: "token", expires_in: 3600, id_token: "", scope: "cloud-platform" }
  }
  return undefined
}

const json = (body: Buffer): JsonMessage => (body.length === 0 ? {} : (JSON.parse(body.toString()) as JsonMessage))

const answer = async (hosting: Hosting, call: Call, incoming: IncomingMessage): Promise<JsonMessage> => {
  const { pathname, searchParams } = new URL(incoming.url!, "http://localhost")
  const path = decodeURIComponent(pathname)
  const body = await buffer(incoming)
  const operation = /^\/v1beta1\/((?:projects\/[^/]+\/)?sites\/[^/]+\/operations\/[^/]+)$/.exec(path)?.[1]
  if (operation !== undefined) return call(hostingService, "GetOperation", { name: operation })
  for (const { method, name, path: pattern } of compiled) {
    const match = method === incoming.method ? pattern.exec(path) : null
    if (match === null) continue
    const query = Object.fromEntries(
      [...searchParams].map(([key, value]) => [key === "update_mask" ? "updateMask" : key, value])
    )
    const request: JsonMessage = { ...query, ...(match.groups as Record<string, string>) }
    if (name !== "UploadFile")
      return call(hostingService, name, { ...request, ...(body.length > 0 && { body: json(body) }) })
    const { hash = "", site = "", version = "" } = match.groups!
    return call(hostingService, name, { ...request, bytes: body.length }, () => {
      hosting.upload(site, version, hash, body)
      return {}
    })
  }
  const other = besides(
    hosting,
    incoming.method ?? "",
    path,
    /json/.test(incoming.headers["content-type"] ?? "") ? json(body) : {}
  )
  if (other !== undefined) return other
  throw new ApiError("NOT_FOUND", `The simulator has no ${incoming.method} ${pathname}.`)
}

/** Listens on a free port of the loopback interface. */
export const serveHosting = async (hosting: Hosting, call: Call): Promise<{ readonly close: () => void }> => {
  const server = createServer((request, response) => {
    const send = (status: number, json: object, headers: Readonly<Record<string, string>> = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers })
      response.end(JSON.stringify(json))
    }
    void answer(hosting, call, request).then(
      (json) => send(200, json),
      (error: unknown) => {
        const { details, http, message, status } =
          error instanceof ApiError ? error : new ApiError("INTERNAL", String(error))
        send(http, { error: { code: http, message, status, details } })
      }
    )
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  hosting.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}
