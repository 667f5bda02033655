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
import { Gcp } from "../src/client/index.ts"

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
const tokenServer = async () => {
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
    response.end(JSON.stringify(url === "/token" ? exchanged : impersonated))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { asked, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe("credentials of a CI system", () => {
  it("are exchanged for a token of the service account, which is the principal that a plan shows", async () => {
    const server = await tokenServer()
    const token = join(directory, "token")
    writeFileSync(token, "from-ci")
    const file = join(directory, "credentials.json")
    writeFileSync(
      file,
      JSON.stringify({
        type: "external_account",
        audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: `${server.url}/token`,
        service_account_impersonation_url: `${server.url}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
        credential_source: { file: token }
      })
    )
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", file)
    vi.stubEnv("GOOGLE_CLOUD_PROJECT", "shop-1")
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
})
