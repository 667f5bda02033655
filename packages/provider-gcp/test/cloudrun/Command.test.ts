/**
 * Stacks that the real program deploys, from a configuration that names the plug-in by its package.
 */
import { rmSync } from "node:fs"
import { assert, describe, expect, it } from "vitest"
import { configured, job } from "../jobs/platform.ts"
import { image, service } from "./platform.ts"
import { id, world, yaml } from "./world.ts"

describe("the command, on Cloud Run", { concurrent: true, timeout: 900_000 }, () => {
  it("shows, deploys, updates, rolls back and destroys a service", async ({ onTestFinished }) => {
    const { ends, simulator, version } = await world(onTestFinished)
    await ends(0, "init", "--id", id)
    expect(await ends(0, "deploy", "--version", "v1", "--dry-run")).toContain("create the service api")
    assert.isUndefined(simulator.service(service))

    await ends(0, "deploy", "--version", "v1")
    assert.deepStrictEqual(await version(), ["v1"])
    await ends(0, "deploy", "--version", "v2")
    assert.deepStrictEqual(await version(), ["v2"])
    // The candidate had a tag and no traffic first, and then a quarter.
    const shares = simulator.changes.map(({ request }) =>
      (
        (
          request["service"] as {
            readonly traffic?: ReadonlyArray<{ readonly percent?: number; readonly tag?: string }>
          }
        ).traffic ?? []
      ).map(({ percent = 0, tag }) => tag ?? percent)
    )
    assert.deepStrictEqual(shares, [[100], [100, "candidate"], [25, 75, "candidate"], [100, "candidate"], [100]])

    await ends(0, "rollback", id)
    assert.deepStrictEqual(await version(), ["v1"])
    await ends(0, "health")
    await ends(0, "destroy", id, "--yes")
    assert.isUndefined(simulator.service(service))
  })

  it("goes back from a revision that does not start, and says why", async ({ onTestFinished }) => {
    const { ends, version } = await world(onTestFinished)
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    const said = await ends(3, "deploy", "--version", "broken")
    expect(said).toContain("failed to listen on the port")
    expect(said).toContain("console.cloud.google.com")
    assert.deepStrictEqual(await version(), ["v1"])
    await ends(0, "deploy", "--version", "v2")
    assert.deepStrictEqual(await version(), ["v2"])
  })

  it("runs a migration before the service, once, and leaves it as it is when the service goes back", async ({
    onTestFinished
  }) => {
    const { configure, ends, simulator, version } = await world(onTestFinished)
    configure(`${yaml}      public: true
    dependsOn: [migrate]
  - name: migrate
    provider: "gcp:cloud-run-job"
    properties: { job: migrate, image: "example.com/shop/migrate:\${version}" }
`)
    for (const tag of ["v1", "broken"]) simulator.push(`example.com/shop/migrate:${tag}`, {})
    await ends(0, "init", "--id", id)
    expect(await ends(0, "deploy", "--version", "v1", "--dry-run")).toContain("create the job migrate, and run it")
    await ends(0, "deploy", "--version", "v1")
    const said = await ends(3, "deploy", "--version", "broken")
    expect(said).toContain("failed to listen on the port")
    assert.deepStrictEqual(await version(), ["v1"])
    assert.deepStrictEqual(configured(simulator), { broken: 1 })
    assert.strictEqual(simulator.executions(job).length, 2)
  })

  it("writes a configuration to begin with, which plans a service", async ({ onTestFinished }) => {
    const { configuration, ends } = await world(onTestFinished)
    rmSync(configuration)
    await ends(0, "init", "--template", "cloud-run")
    await ends(0, "init", "--id", id)
    const said = await ends(0, "deploy", "--version", "v1", "--dry-run")
    expect(said).toContain("create the service hello")
    expect(said).toContain("project acme-prod, region europe-west1")
  })

  it("changes nothing where something of the configuration is wrong", async ({ onTestFinished }) => {
    const { configure, ends, simulator } = await world(onTestFinished)
    await ends(0, "init", "--id", id)
    const wrong = async (before: string, after: string, ...words: ReadonlyArray<string>) => {
      configure(yaml.replace(before, after))
      const said = await ends(64, "deploy", "--version", "v1")
      for (const word of words) expect(said).toContain(word)
    }
    await wrong("env:", "envs:", "envs", `Did you mean "env"?`)
    await wrong("image:", "imag:", "imag is not a known property", "image")
    await wrong("service: api", `service: ${"a".repeat(50)}`, "service", "up to 49")
    await wrong("service: api", "service: Api", "service")
    await wrong("env:", "tag: ab\n      env:", "tag", "3 to 46")
    await wrong("service: api", `service: ${"a".repeat(40)}`, "tag", "at most 46 characters together")
    await wrong("/api:", "/API::", "is not the name of an image")
    assert.deepStrictEqual(
      simulator.calls.filter(({ method }) => method !== "GetService"),
      []
    )
  })

  it("adopts a service that it never deployed, and goes back to what it found", async ({ onTestFinished }) => {
    const { ends, simulator, version } = await world(onTestFinished)
    await simulator.create("projects/shop-1/locations/europe-west1", "api", {
      template: { containers: [{ image: image("v1") }] }
    })
    while (simulator.service(service)!.reconciling) await new Promise((resolve) => setImmediate(resolve))
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v2")
    assert.deepStrictEqual(await version(), ["v2"])
    await ends(0, "rollback", id)
    assert.deepStrictEqual(await version(), ["v1"])
  })
})
