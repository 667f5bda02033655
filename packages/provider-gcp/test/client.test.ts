/**
 * What failures of Google Cloud mean, and what happens without credentials.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { assert, describe, expect, it } from "vitest"
import { gcpReason, plain } from "../src/client/index.ts"
import { ApiError, errorInfo, retryInfo, startGcpSimulator } from "../src/testing/index.ts"
import * as Effect from "effect/Effect"
import { candidate, providerOf, ref } from "./cloudrun/platform.ts"

/** What the provider makes of a refusal, by either protocol. */
const reasonsFor = async (refuse: ApiError) => {
  const simulator = await startGcpSimulator()
  try {
    simulator.fault({ refuse })
    return await Promise.all(
      (["grpc", "rest"] as const).map(async (transport) => {
        const { reason } = await Effect.runPromise(
          Effect.flip(providerOf(simulator, transport).plan(ref, candidate("v1")))
        )
        return reason
      })
    )
  } finally {
    await simulator.close()
  }
}

describe("failures of Google Cloud", () => {
  it("name the permission that is missing", async () => {
    const message =
      "Permission 'iam.serviceaccounts.actAs' denied on service account runner@shop.iam.gserviceaccount.com"
    const info = errorInfo("IAM_PERMISSION_DENIED", { permission: "iam.serviceAccounts.actAs" }, "iam.googleapis.com")
    for (const reason of await reasonsFor(new ApiError("PERMISSION_DENIED", message, [info]))) {
      expect(reason).toMatchObject({ _tag: "Denied", action: "iam.serviceAccounts.actAs", message })
    }
  })

  it("say how to enable an API", async () => {
    const info = errorInfo("SERVICE_DISABLED", { service: "run.googleapis.com", consumer: "projects/shop-1" })
    for (const reason of await reasonsFor(new ApiError("PERMISSION_DENIED", "It is disabled.", [info]))) {
      expect(reason).toMatchObject({
        _tag: "Denied",
        hint: "Enable it: gcloud services enable run.googleapis.com --project shop-1"
      })
    }
  })

  it("say how long to wait", async () => {
    const refusal = new ApiError("RESOURCE_EXHAUSTED", "Too many requests.", [retryInfo(7)])
    for (const reason of await reasonsFor(refusal)) {
      expect(reason).toMatchObject({ _tag: "Throttled", retryAfterMs: 7000 })
    }
  })

  it("tell a limit of the account from one of a minute", () => {
    const of = (quota_limit: string) =>
      gcpReason({ code: 8, reason: "QUOTA_EXCEEDED", message: "no", errorInfoMetadata: { quota_limit } }, "run")._tag
    assert.strictEqual(of("ServicesPerProject"), "Quota")
    assert.strictEqual(of("WriteRequestsPerMinutePerRegion"), "Throttled")
  })

  it.each([
    ["Expired", { code: 16, message: "16 UNAUTHENTICATED: Request had invalid authentication credentials." }],
    ["Expired", { message: "invalid_grant: Token has been expired or revoked." }],
    ["Unavailable", { code: 4, message: "4 DEADLINE_EXCEEDED: Deadline exceeded" }],
    ["Unavailable", { code: "ECONNREFUSED", message: "connect ECONNREFUSED" }],
    ["Conflict", { code: 10, message: "10 ABORTED: etag" }],
    ["Invalid", { code: 3, message: "3 INVALID_ARGUMENT: bad" }],
    ["Unexpected", new TypeError("x is undefined")]
  ])("are %s: %o", (tag, error) => {
    const reason = gcpReason(error, "run.services.get")
    assert.strictEqual(reason._tag, tag)
    assert.notMatch(reason.message, /^\d+ [A-Z]/)
  })

  it("are one reason without credentials, and end no process", async () => {
    const directory = mkdtempSync(join(tmpdir(), "signalbox-gcp-none-"))
    const provider = pathToFileURL(join(import.meta.dirname, "../dist/cloudrun/CloudRunProvider.js")).href
    writeFileSync(
      join(directory, "main.mjs"),
      `import { make } from ${JSON.stringify(provider)}
       import * as Effect from ${JSON.stringify(import.meta.resolve("effect/Effect"))}
       const ref = { ...${JSON.stringify(ref)} }
       const { reason } = await Effect.runPromise(Effect.flip(make({}).observe(ref)))
       await new Promise((resolve) => setTimeout(resolve, 500))
       console.log(JSON.stringify(reason))`
    )
    const ran = await new Promise<{ readonly code: number | null; readonly out: string }>((resolve) => {
      const child = spawn(process.execPath, [join(directory, "main.mjs")], {
        // Nothing of this machine's own credentials, and no metadata server to ask.
        env: { PATH: process.env["PATH"], HOME: directory, METADATA_SERVER_DETECTION: "none" },
        stdio: ["ignore", "pipe", "inherit"]
      })
      let out = ""
      child.stdout.on("data", (data) => (out += data))
      child.on("close", (code) => resolve({ code, out }))
    })
    rmSync(directory, { recursive: true, force: true })
    assert.strictEqual(ran.code, 0)
    expect(JSON.parse(ran.out)).toMatchObject({ _tag: "Denied", hint: expect.stringContaining("gcloud auth") })
  })
})

describe("a message in one form", () => {
  it("is the same from gRPC and from REST", () => {
    const long = { low: 300, high: 0, unsigned: false, toString: () => "300" }
    const grpc = {
      timeout: { seconds: long, nanos: 0 },
      labels: {},
      image: "",
      env: [{ name: "A", value: "1", values: "value" }]
    }
    const rest = { timeout: { seconds: "300" }, env: [{ name: "A", value: "1" }] }
    assert.deepStrictEqual(plain(grpc), plain(rest))
  })
})
