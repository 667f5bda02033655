/**
 * The simulator, as the vendor's own client meets it.
 */
import { v2 } from "@google-cloud/run"
import { credentials } from "@grpc/grpc-js"
import { PassThroughClient } from "google-auth-library"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { ApiError, errorInfo, type GcpSimulator, retryInfo, startGcpSimulator } from "../../src/testing/index.ts"

const parent = "projects/shop/locations/europe-west1"
const name = `${parent}/services/api`

let simulator: GcpSimulator
beforeEach(async () => {
  simulator = await startGcpSimulator()
  for (const version of ["v1", "v2"]) simulator.push(`example.com/app:${version}`, { body: version })
})
afterEach(() => simulator.close())

const clients: Array<{ readonly close: () => Promise<void> }> = []
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))

const options = (transport: string) => {
  const { hostname, port } = new URL(transport === "grpc" ? simulator.grpc : simulator.rest)
  const more = transport === "grpc" ? { sslCreds: credentials.createInsecure() } : { fallback: true, protocol: "http" }
  return { apiEndpoint: hostname, port: Number(port), authClient: new PassThroughClient(), projectId: "shop", ...more }
}

const services = (transport: string) => {
  const client = new v2.ServicesClient(options(transport))
  clients.push(client)
  return client
}

const template = (version: string, revision: string) => ({
  revision,
  containers: [{ image: `example.com/app:${version}` }]
})

const said = async (url: string, times = 1): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (let n = 0; n < times; n++) {
    const body = await (await fetch(url)).text()
    counts[body] = (counts[body] ?? 0) + 1
  }
  return counts
}

describe.each(["grpc", "rest"])("the simulated Cloud Run over %s", (transport) => {
  it("serves a service, divides its traffic by percent, and reaches a tag apart", async () => {
    const client = services(transport)
    const [created] = await client.createService({
      parent,
      serviceId: "api",
      service: { template: template("v1", "api-1") }
    })
    const [first] = await created.promise()
    expect(first.trafficStatuses?.map(({ percent }) => percent)).toEqual([100])
    assert.deepStrictEqual(await said(first.uri!), { v1: 1 })
    const pinned = (percent: number) => [
      { type: 2, revision: "api-1", percent: 100 - percent },
      { type: 2, revision: "api-2", percent, tag: "next" }
    ]
    const update = async (paths: Array<string>, service: object) => {
      const [operation] = await client.updateService({ service: { name, ...service }, updateMask: { paths } })
      const [done] = await operation.promise()
      return done
    }
    const staged = await update(["template", "traffic"], { template: template("v2", "api-2"), traffic: pinned(0) })
    assert.deepStrictEqual(await said(staged.uri!, 10), { v1: 10 })
    const { uri } = staged.trafficStatuses!.find(({ tag }) => tag === "next")!
    assert.deepStrictEqual(await said(uri!), { v2: 1 })
    await update(["traffic"], { traffic: pinned(25) })
    assert.deepStrictEqual(await said(staged.uri!, 100), { v1: 75, v2: 25 })
    const [deletion] = await client.deleteService({ name })
    await deletion.promise()
    const error = (await client.getService({ name }).catch((error: unknown) => error)) as { code: number }
    assert.strictEqual(error.code, 5)
  })

  it("keeps serving as before when a revision fails", async () => {
    simulator.push("example.com/app:broken", { fails: "it exits" })
    const client = services(transport)
    const [created] = await client.createService({
      parent,
      serviceId: "api",
      service: { template: template("v1", "api-1") }
    })
    const [{ uri }] = await created.promise()
    const [updated] = await client.updateService({
      service: { name, template: template("broken", "api-2") },
      updateMask: { paths: ["template"] }
    })
    await expect(updated.promise()).rejects.toMatchObject({ code: 9, message: expect.stringContaining("it exits") })
    const [service] = await client.getService({ name })
    expect(service).toMatchObject({
      reconciling: false,
      latestReadyRevision: `${name}/revisions/api-1`,
      latestCreatedRevision: `${name}/revisions/api-2`
    })
    assert.deepStrictEqual(await said(uri!), { v1: 1 })
  })

  it("refuses an etag that is not current, and a revision of another template", async () => {
    const client = services(transport)
    const [created] = await client.createService({
      parent,
      serviceId: "api",
      service: { template: template("v1", "api-1") }
    })
    const [{ etag }] = await created.promise()
    const write = (service: object) =>
      client.updateService({ service: { name, ...service }, updateMask: { paths: ["template"] } })
    await write({ template: template("v2", "api-2"), etag })
    await expect(write({ template: template("v1", "api-3"), etag })).rejects.toMatchObject({ code: 10 })
    await expect(write({ template: template("v1", "api-2") })).rejects.toThrow("different configuration already exists")
  })

  it("deletes the oldest revisions that have no traffic", async () => {
    const small = await startGcpSimulator({ revisionLimit: 2 })
    for (const version of ["v1", "v2", "v3", "v4"]) small.push(`example.com/app:${version}`, { body: version })
    await small.create(parent, "api", { template: template("v1", "api-1") })
    for (const n of [2, 3, 4]) {
      await small.edit(name, { template: template(`v${n}`, `api-${n}`) })
      while (small.service(name)!.reconciling) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepStrictEqual(small.instances(name), ["api-4"])
    assert.strictEqual(small.revisions(name).length, 2)
    await small.close()
  })

  it("explains a refusal in detail", async () => {
    const client = services(transport)
    simulator.fault({
      method: "GetService",
      refuse: new ApiError("PERMISSION_DENIED", "no", [errorInfo("IAM_PERMISSION_DENIED", { permission: "run.get" })])
    })
    await expect(client.getService({ name })).rejects.toMatchObject({
      reason: "IAM_PERMISSION_DENIED",
      errorInfoMetadata: { permission: "run.get" }
    })
    simulator.fault({ method: "ListServices", refuse: new ApiError("RESOURCE_EXHAUSTED", "slow", [retryInfo(7)]) })
    const error = (await client.listServices({ parent }).catch((error: unknown) => error)) as { statusDetails: unknown }
    expect(JSON.stringify(error.statusDetails)).toContain("7")
  })
})
