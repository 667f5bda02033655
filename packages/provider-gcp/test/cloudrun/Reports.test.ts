/**
 * What a person sees of failures that others have reported of their tools, and what there is to type next.
 */
import { rmSync, writeFileSync } from "node:fs"
import { assert, describe, expect, it } from "vitest"
import { ApiError, errorInfo, type GcpSimulator, retryInfo } from "../../src/testing/index.ts"
import { image, parent, service } from "./platform.ts"
import { id, world, yaml } from "./world.ts"

const byName = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
const latest = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"

const settled = async (simulator: GcpSimulator): Promise<void> => {
  while (simulator.service(service)!.reconciling) await new Promise((resolve) => setImmediate(resolve))
}

const found = async (simulator: GcpSimulator, change: object = {}): Promise<void> => {
  const template = { containers: [{ image: image("v1") }], revision: "api-found" }
  await simulator.create(parent, "api", { template, ...change })
  await settled(simulator)
}

const written = ({ changes }: GcpSimulator) => changes.filter(({ failed }) => failed === undefined)

describe("a service that others have deployed", { concurrent: true, timeout: 900_000 }, () => {
  // google-github-actions/deploy-cloudrun#533, fullsend-ai/fullsend#6945
  it("whose traffic is pinned gets it moved, so that no deployment is done at 0 %", async ({ onTestFinished }) => {
    const { ends, simulator, version } = await world(onTestFinished)
    await found(simulator, { traffic: [{ type: byName, revision: "api-found", percent: 100 }] }).catch(() => {})
    if (simulator.service(service) === undefined) await found(simulator)
    await simulator.edit(service, { traffic: [{ type: byName, revision: "api-found", percent: 100 }] })
    await settled(simulator)
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v2")
    assert.deepStrictEqual(await version(), ["v2"])
    expect(await ends(0, "status", id)).toContain("v2")
  })

  // google-github-actions/deploy-cloudrun#556
  it("on a preview keeps its preview, however two deployers race", async ({ onTestFinished }) => {
    const { ends, simulator } = await world(onTestFinished)
    await found(simulator)
    await simulator.edit(service, {
      traffic: [
        { type: latest, percent: 100 },
        { type: latest, tag: "preview" }
      ]
    })
    await settled(simulator)
    await ends(0, "init", "--id", id)
    expect(await ends(0, "deploy", "--version", "v2", "--dry-run")).toContain("tag preview follows the latest revision")
    await ends(0, "deploy", "--version", "v2")
    const preview = simulator.service(service)!.trafficStatuses.find(({ tag }) => tag === "preview")!
    assert.strictEqual(await (await fetch(preview.uri!)).text(), "v1")
  })

  // Lore-Hex/quill-router#782 and #731
  it("and left in a split that never became effective is put back first", async ({ onTestFinished }) => {
    const { ends, simulator, version } = await world(onTestFinished)
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    await simulator.edit(service, {
      template: { containers: [{ image: image("broken") }] },
      traffic: [{ type: latest, percent: 100 }]
    })
    await settled(simulator)
    await ends(0, "deploy", "--version", "v2")
    assert.deepStrictEqual(await version(), ["v2"])
    await ends(0, "rollback", id)
    assert.deepStrictEqual(await version(), ["v1"])
  })

  // hashicorp/terraform-provider-google#9438 and #15153
  it("after an edit at the console gets a revision of its own, which has no traffic at first", async ({
    onTestFinished
  }) => {
    const { ends, simulator, version } = await world(onTestFinished)
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    await simulator.edit(service, { labels: { by: "hand" } })
    await settled(simulator)
    await ends(0, "deploy", "--version", "v2")
    assert.deepStrictEqual(await version(), ["v2"])
    const staged = simulator.changes.find(({ request }) => String(request["updateMask"]).includes("template"))!
    const { traffic } = staged.request["service"] as unknown as {
      readonly traffic: ReadonlyArray<{ readonly percent?: number }>
    }
    assert.deepStrictEqual(
      traffic.map(({ percent = 0 }) => percent),
      [100, 0]
    )
  })

  it("that throttles is called again when it says, and not earlier", async ({ onTestFinished }) => {
    const { ends, simulator } = await world(onTestFinished)
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    const refuse = new ApiError("RESOURCE_EXHAUSTED", "Too many requests.", [retryInfo(3)])
    simulator.fault({ method: "UpdateService", nth: 1, refuse })
    await ends(0, "deploy", "--version", "v2")
    const [refused, next] = simulator.calls.filter(({ method }) => method === "UpdateService")
    assert.strictEqual(refused!.failed, "RESOURCE_EXHAUSTED")
    assert.isAtLeast(next!.at - refused!.at, 3_000)
  })
})

describe("a deployment to Cloud Run that cannot be", { concurrent: true, timeout: 900_000 }, () => {
  const denied = (permission: string, message: string) =>
    new ApiError("PERMISSION_DENIED", message, [
      errorInfo("IAM_PERMISSION_DENIED", { permission }, "iam.googleapis.com")
    ])

  it.each([
    [
      "an API that is disabled",
      undefined,
      new ApiError("PERMISSION_DENIED", "Cloud Run Admin API has not been used in project shop-1 before.", [
        errorInfo("SERVICE_DISABLED", { service: "run.googleapis.com", consumer: "projects/shop-1" })
      ]),
      1,
      ["gcloud services enable run.googleapis.com --project shop-1"]
    ],
    [
      "the wrong project",
      undefined,
      denied(
        "run.services.get",
        "Permission 'run.services.get' denied on resource 'projects/shop-1' (or it may not exist)."
      ),
      1,
      ["run.services.get", "projects/shop-1"]
    ]
  ] as const)("names %s, and writes nothing", async (_, method, refuse, exit, words) => {
    const cleanups: Array<() => unknown> = []
    const { ends, simulator } = await world((cleanup) => void cleanups.push(cleanup as () => unknown))
    try {
      await ends(0, "init", "--id", id)
      simulator.fault({ refuse, ...(method === undefined ? {} : { method }) })
      const said = await ends(exit, "deploy", "--version", "v1")
      for (const word of words) expect(said).toContain(word)
      assert.deepStrictEqual(written(simulator), [])
    } finally {
      for (const cleanup of cleanups) await cleanup()
    }
  })

  it("may not act as an account, which the plan finds before anything is written", async ({ onTestFinished }) => {
    const { configure, ends, simulator } = await world(onTestFinished)
    const account = "run@shop-1.iam.gserviceaccount.com"
    simulator.actAs(false, account)
    configure(`${yaml}      serviceAccount: ${account}\n`)
    await ends(0, "init", "--id", id)
    // A preview is for principals that may only look.
    const preview = await ends(0, "deploy", "--version", "v1", "--dry-run")
    expect(preview).toContain(`may not act as ${account}, which api runs as`)
    const said = await ends(1, "deploy", "--version", "v1")
    expect(said).toContain("iam.serviceAccounts.actAs")
    expect(said).toContain(`gcloud iam service-accounts add-iam-policy-binding ${account}`)
    assert.deepStrictEqual(simulator.changes, [])
    simulator.actAs(true, account)
    await ends(0, "deploy", "--version", "v1")

    // Without an account of its own, a job runs as the default one of the project.
    simulator.actAs(false)
    configure(`${yaml}      serviceAccount: ${account}
  - name: migrate
    provider: "gcp:cloud-run-job"
    properties: { job: migrate, image: "example.com/shop/migrate:\${version}" }
`)
    simulator.push("example.com/shop/migrate:v2", {})
    const written = simulator.changes.length
    expect(await ends(1, "deploy", "--version", "v2")).toContain("123456-compute@developer.gserviceaccount.com")
    assert.strictEqual(simulator.changes.length, written)
  })

  it("may not act as an account, and cannot ask: the refused change says what to grant", async ({ onTestFinished }) => {
    const { ends, simulator } = await world(onTestFinished)
    simulator.actAs(false)
    simulator.fault({
      method: "TestIamPermissions",
      refuse: new ApiError("PERMISSION_DENIED", "IAM API has not been used in project shop-1 before.")
    })
    await ends(0, "init", "--id", id)
    expect(await ends(0, "deploy", "--version", "v1", "--dry-run")).toContain("it cannot be said whether api")
    expect(await ends(3, "deploy", "--version", "v1")).toContain("roles/iam.serviceAccountUser")
    assert.deepStrictEqual(written(simulator), [])
  })

  // googleapis/google-cloud-node#9085
  it("has no credentials says how to sign in, and ends in order", async ({ onTestFinished }) => {
    const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: "", METADATA_SERVER_DETECTION: "none" }
    const { ends, simulator } = await world(onTestFinished, env)
    await ends(0, "init", "--id", id)
    expect(await ends(1, "deploy", "--version", "v1")).toContain("gcloud auth application-default login")
    assert.deepStrictEqual(simulator.calls, [])
  })

  it("names a strategy that its kind does not have, and calls nothing", async ({ onTestFinished }) => {
    const { configuration, ends, simulator } = await world(onTestFinished)
    const refused = async (before: string, after: string, ...words: ReadonlyArray<string>) => {
      writeFileSync(configuration, yaml.replace(before, after))
      const said = await ends(64, "deploy", "--version", "v1")
      for (const word of words) expect(said).toContain(word)
    }
    await ends(0, "init", "--id", id)
    await refused(
      "{ type: canary, steps: [{ weight: 25, bake: 0 millis }] }",
      "{ type: rolling }",
      "strategy",
      "rolling"
    )
    writeFileSync(configuration, yaml)
    await refused(`"gcp:cloud-run"`, `"gcp:cloud-run-job"`, "strategy", "canary")
    rmSync(configuration)
    assert.deepStrictEqual(simulator.calls, [])
  })
})
