/**
 * The API of Firebase Hosting over HTTP.
 */
import { type ApiAnswer, fetchJson, type Gcp } from "../client/index.ts"

/** A call. `path` follows the version of the API; `timeout` is in milliseconds. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  readonly timeout: number
}

export class HostingApi {
  readonly #gcp: Gcp
  readonly #endpoint: URL

  /** `endpoint` replaces `FIREBASE_HOSTING_API_URL`, which the vendor's tools know too. */
  constructor(gcp: Gcp, endpoint?: string) {
    const named = endpoint ?? process.env["FIREBASE_HOSTING_API_URL"]
    this.#gcp = gcp
    this.#endpoint = new URL(named === undefined || named === "" ? "https://firebasehosting.googleapis.com" : named)
  }

  /** Whether no credentials are sent. */
  get isLocal(): boolean {
    return this.#endpoint.protocol === "http:"
  }

  async call({ body, method, path, query = {}, timeout }: ApiCall, signal: AbortSignal): Promise<ApiAnswer> {
    const url = new URL(`/v1beta1/${path}`, this.#endpoint)
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    return fetchJson(
      this.#gcp,
      url,
      { timeout, signal },
      {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
      }
    )
  }

  /** Sends a file to the address that the API named for it. */
  async upload(
    url: string,
    body: NonNullable<RequestInit["body"]>,
    timeout: number,
    signal: AbortSignal
  ): Promise<void> {
    const headers = { "content-type": "application/octet-stream" }
    await fetchJson(this.#gcp, new URL(url), { timeout, signal }, { method: "POST", body, headers, duplex: "half" })
  }
}
