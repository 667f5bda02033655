/**
 * Workload identity federation and impersonation, with a token server on the loopback interface.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import { Gcp, gcpReason } from "../src/client/index.ts"

const account = "deployer@shop-1.iam.gserviceaccount.com"

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "signalbox-gcp-credentials-"))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

/** Exchanges the token of the CI system, and then gives one of the service account. */
const tokenServer = async (refusal?: {
  readonly error: { readonly code: number; readonly status: string; readonly message: string }
}) => {
  const asked: Array<{ readonly path: string; readonly body: string; readonly authorization: string | undefined }> = []
  const server = createServer(async (request, response) => {
    const { headers, url = "" } = request
    asked.push({ path: url, body: await text(request), authorization: headers.authorization })
    response.setHeader("content-type", "application/json")
    const exchanged = {
      access_token: "federated",
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: 3600
    }
    const impersonated = { accessToken: "impersonated", expireTime: new Date(Date.now() + 3_600_000).toISOString() }
    if (url !== "/token" && refusal !== undefined) response.statusCode = refusal.error.code
    response.end(JSON.stringify(url === "/token" ? exchanged : (refusal ?? impersonated)))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { asked, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Writes a file of credentials, and makes it the application default. */
const credentials = (content: object): void => {
  const file = join(directory, "credentials.json")
  writeFileSync(file, JSON.stringify(content))
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", file)
  vi.stubEnv("GOOGLE_CLOUD_PROJECT", "shop-1")
}

/** The token of a CI system, in a file. */
const external = (url: string) => {
  const file = join(directory, "token")
  writeFileSync(file, "from-ci")
  return {
    type: "external_account",
    audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${url}/token`,
    credential_source: { file }
  }
}

const impersonation = (url: string) => `${url}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`

describe("credentials that act as a service account", () => {
  it.each([
    ["of a CI system", (url: string) => ({ ...external(url), service_account_impersonation_url: impersonation(url) })],
    [
      "of gcloud auth application-default login --impersonate-service-account",
      (url: string) => ({
        type: "impersonated_service_account",
        // A sign-in of a person has an address that cannot be changed.
        source_credentials: external(url),
        service_account_impersonation_url: impersonation(url),
        endpoint: url,
        delegates: []
      })
    ]
  ])("are exchanged for a token of the account, which is the principal of a plan: %s", async (_, file) => {
    const server = await tokenServer()
    credentials(file(server.url))
    const gcp = new Gcp({ endpoint: "https://run.example.com" })
    try {
      assert.strictEqual(await gcp.principal(), account)
      const headers = new Headers(await gcp.headers())
      assert.strictEqual(headers.get("authorization"), "Bearer impersonated")
      assert.deepStrictEqual(
        server.asked.map(({ path }) => path.replace(/^.*:/, "")),
        ["/token", "generateAccessToken"]
      )
      assert.include(server.asked[0]!.body, "from-ci")
      assert.strictEqual(server.asked[1]!.authorization, "Bearer federated")
    } finally {
      server.close()
    }
  })

  it("that the account refuses are one reason, which says why", async () => {
    const server = await tokenServer({
      error: {
        code: 403,
        status: "PERMISSION_DENIED",
        message: "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
      }
    })
    credentials({
      type: "impersonated_service_account",
      source_credentials: external(server.url),
      service_account_impersonation_url: impersonation(server.url),
      endpoint: server.url,
      delegates: []
    })
    const gcp = new Gcp({ endpoint: "https://run.example.com" })
    try {
      const error = await gcp.headers().catch((error: unknown) => error)
      const reason = gcpReason(error, "run.services.get")
      assert.strictEqual(reason._tag, "Denied")
      assert.include(reason, { action: "iam.serviceAccounts.getAccessToken" })
      assert.include(reason.message, "unable to impersonate")
      assert.include(JSON.stringify(reason), "roles/iam.serviceAccountTokenCreator")
    } finally {
      server.close()
    }
  })
})
