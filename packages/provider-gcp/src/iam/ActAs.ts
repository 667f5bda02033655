/**
 * Whether the caller may deploy what runs as a service account. Cloud Run tells only when it is changed, so that is asked
 * while nothing has been.
 *
 * *Source*: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/testIamPermissions
 */
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { type ApiAnswer, fetchJson, type Gcp, gcpReason, grantActAs } from "../client/index.ts"

/**
 * Where it is asked.
 *
 * *Details*: `iamEndpoint` (default `CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM`), and `projectsEndpoint` (default
 * `CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER`), where the number of a project is, which is in the name of its
 * default account.
 */
export interface ActAsOptions {
  readonly iamEndpoint?: string
  readonly projectsEndpoint?: string
}

const permission = "iam.serviceAccounts.actAs"
const timeout = 5_000

const endpoint = (given: string | undefined, variable: string, real: string, gcp: Gcp): string | undefined => {
  const named = given ?? process.env[variable]
  if (named !== undefined && named !== "") return named
  // A simulated Cloud Run can be asked only if it says where.
  return gcp.isLocal ? undefined : real
}

/**
 * What a person should know about the account that `name` runs as; fails if it may not be used. `account` is the default
 * one of the project where it is undefined. In a preview, a refusal is only told: who looks may have no right to deploy.
 */
export const actAs = (
  gcp: Gcp,
  options: ActAsOptions,
  {
    account,
    isPreview,
    name,
    project
  }: {
    readonly account: string | undefined
    readonly isPreview: boolean
    readonly name: string
    readonly project: string
  }
): Effect.Effect<ReadonlyArray<string>, ProviderReason> =>
  Effect.gen(function* () {
    const iam = endpoint(options.iamEndpoint, "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", "https://iam.googleapis.com", gcp)
    const projects = endpoint(
      options.projectsEndpoint,
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
      "https://cloudresourcemanager.googleapis.com",
      gcp
    )
    if (iam === undefined) return []
    const call = (what: string, url: URL, init?: RequestInit): Effect.Effect<ApiAnswer, ProviderReason> =>
      Effect.tryPromise({
        try: (signal) => fetchJson(gcp, url, { signal, timeout }, init),
        catch: (error) => gcpReason(error, what)
      })
    const defaultAccount = Effect.map(
      call("resourcemanager.projects.get", new URL(`/v1/projects/${project}`, projects)),
      ({ projectNumber }) => `${String(projectNumber)}-compute@developer.gserviceaccount.com`
    )
    const asked = Effect.gen(function* () {
      const used = account ?? (yield* defaultAccount)
      const { permissions = [] } = yield* call(
        "iam.serviceAccounts.testIamPermissions",
        new URL(`/v1/projects/-/serviceAccounts/${used}:testIamPermissions`, iam),
        {
          method: "POST",
          body: JSON.stringify({ permissions: [permission] }),
          headers: { "content-type": "application/json" }
        }
      )
      return { used, allowed: (permissions as ReadonlyArray<string>).includes(permission) }
    })
    const answer = yield* Effect.result(asked)
    if (answer._tag === "Failure") {
      const { message } = answer.failure
      return [`it cannot be said whether ${name} may be deployed to run as ${account ?? "its account"}: ${message}`]
    }
    const { allowed, used } = answer.success
    if (allowed) return []
    const principal = yield* Effect.promise(() => gcp.principal().catch(() => undefined))
    const message = `${principal ?? "the caller"} may not act as ${used}, which ${name} runs as (${permission})`
    if (isPreview) return [message]
    return yield* Effect.fail<ProviderReason>({
      _tag: "Denied",
      message,
      action: permission,
      hint: grantActAs(used, principal)
    })
  }).pipe(Effect.withSpan("Iam.actAs"))
