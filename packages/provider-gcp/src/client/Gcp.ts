/**
 * The clients of Google Cloud. They load when they are first called, and only after credentials were found: without
 * them, the vendor's client ends the process by a rejection that nothing handles.
 */
import type { v2 } from "@google-cloud/run"
import type { AuthClient, GoogleAuth } from "google-auth-library"

/**
 * How Google Cloud is reached.
 *
 * *Details*: by default as the vendor's own tools do it: the project of `GOOGLE_CLOUD_PROJECT` or of the credentials,
 * and application default credentials: a service account, workload identity federation, impersonation, or the sign-in
 * of `gcloud auth application-default login`. `endpoint` (default `CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN`) leads elsewhere;
 * over plain HTTP, no credentials are sent. `transport` is `grpc` (the default) or `rest`.
 */
export interface GcpOptions {
  readonly project?: string
  readonly region?: string
  readonly endpoint?: string
  readonly transport?: "grpc" | "rest"
}

const scopes = "https://www.googleapis.com/auth/cloud-platform"

/** The two clients of Cloud Run. */
export interface RunClients {
  readonly services: v2.ServicesClient
  readonly revisions: v2.RevisionsClient
}

export class Gcp {
  readonly #options: GcpOptions
  #auth: Promise<GoogleAuth> | undefined
  #clients: Promise<RunClients> | undefined

  constructor(options: GcpOptions) {
    this.#options = options
  }

  /** Whether the endpoint is one to which no credentials are sent. */
  get isLocal(): boolean {
    return this.#endpoint?.protocol === "http:"
  }

  run(): Promise<RunClients> {
    this.#clients ??= this.#make().catch((error: unknown) => {
      // Clients that could not be made are made again by the next call.
      this.#clients = undefined
      throw error
    })
    return this.#clients
  }

  /** The project that is configured, or the one of the credentials; undefined if there is none. */
  async project(): Promise<string | undefined> {
    const configured = this.#options.project ?? process.env["GOOGLE_CLOUD_PROJECT"]
    if (configured !== undefined || this.isLocal) return configured
    const auth = await this.#credentials()
    return auth.getProjectId().catch(() => undefined)
  }

  get region(): string | undefined {
    return this.#options.region ?? process.env["CLOUDSDK_RUN_REGION"]
  }

  /** Who calls, if the credentials say so. */
  async principal(): Promise<string | undefined> {
    if (this.isLocal) return undefined
    const auth = await this.#credentials()
    const { client_email } = await auth.getCredentials().catch(() => ({ client_email: undefined }))
    return client_email
  }

  /** The headers of a call over HTTP that carries the credentials. */
  async headers(): Promise<Headers> {
    const client = await (await this.#credentials()).getClient()
    return client.getRequestHeaders()
  }

  get #endpoint(): URL | undefined {
    const endpoint = this.#options.endpoint ?? process.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"]
    return endpoint === undefined || endpoint === "" ? undefined : new URL(endpoint)
  }

  #credentials(): Promise<GoogleAuth> {
    this.#auth ??= import("google-auth-library").then(({ GoogleAuth }) => new GoogleAuth({ scopes }))
    return this.#auth
  }

  async #authClient(): Promise<AuthClient> {
    if (!this.isLocal) return (await this.#credentials()).getClient()
    const { PassThroughClient } = await import("google-auth-library")
    return new PassThroughClient()
  }

  async #make(): Promise<RunClients> {
    const authClient = await this.#authClient()
    const projectId = await this.project()
    const options = {
      authClient,
      ...(projectId === undefined ? {} : { projectId }),
      ...(this.#options.transport === "rest" ? { fallback: true } : {}),
      ...(await this.#address())
    }
    const { v2 } = await import("@google-cloud/run")
    return { services: new v2.ServicesClient(options), revisions: new v2.RevisionsClient(options) }
  }

  /** The options that lead to the endpoint. */
  async #address() {
    const endpoint = this.#endpoint
    if (endpoint === undefined) return {}
    const secure = endpoint.protocol === "https:"
    const port = Number(endpoint.port === "" ? (secure ? 443 : 80) : endpoint.port)
    const address = { apiEndpoint: endpoint.hostname, port }
    if (secure) return address
    if (this.#options.transport === "rest") return { ...address, protocol: "http" }
    const { credentials } = await import("@grpc/grpc-js")
    return { ...address, sslCreds: credentials.createInsecure() }
  }
}
