import { defineConfig } from "@signalbox/core"
import type { Execution } from "@signalbox/core/spi"
import { connect } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeService } from "./service.ts"

const work = mkdtempSync(join(tmpdir(), "signalbox-fastify-"))
const directory = join(work, ".signalbox")
const cwd = fileURLToPath(new URL(".", import.meta.url))
const environment = "production"

const configuration = defineConfig({
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  stacks: [
    {
      name: "web",
      provider: "local",
      gate: { gracePeriod: "0 millis", interval: "100 millis", consecutivePasses: 2, minSamples: 0 },
      strategy: { type: "blue_green", bake: "300 millis", approval: { expiresIn: "1 minute" } },
      properties: {
        command: ["node", "server.mjs"],
        artifact: "./web",
        readiness: { timeout: "10 seconds", interval: "100 millis" }
      }
    }
  ]
})

const open = async () => {
  const signalbox = await connect({ directory, providers: [LocalProvider.make({ directory, cwd })] })
  const [known] = (await signalbox.executions.list({ limit: 1 })).items
  const { deploymentId } = known ?? (await signalbox.deployments.init({ configuration }))
  const service = await makeService({ signalbox, configuration, deploymentId })
  return { deploymentId, service, url: await service.listen({ port: 0, host: "127.0.0.1" }), signalbox }
}

let running: Awaited<ReturnType<typeof open>>
beforeAll(async () => {
  running = await open()
})
afterAll(async () => {
  await running.service.close()
  const { deploymentId, service, signalbox } = await open()
  const { done } = await signalbox.destroy({ configuration, deploymentId, environment })
  await done
  await service.close()
  rmSync(work, { recursive: true })
})

const post = async (path: string, body: unknown = null) => {
  const response = await fetch(running.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  return { status: response.status, json: (await response.json()) as unknown }
}
const state = async (id: string) =>
  (await (await fetch(`${running.url}/deployments/${id}`)).json()) as Execution.ExecutionState

const answer = async (id: string) => (await fetch(String((await state(id)).stacks[0]?.outputs["url"]))).text()

interface Sent {
  readonly id: number
  readonly event: string
  readonly data: unknown
}

/** Reads a stream of Server-Sent Events until `until` is true, or to its end. */
const read = async (id: string, options: { after?: number; until?: (sent: Sent) => boolean } = {}) => {
  const stop = new AbortController()
  const response = await fetch(`${running.url}/deployments/${id}/events`, {
    signal: stop.signal,
    headers: options.after === undefined ? {} : { "last-event-id": String(options.after) }
  })
  const sent: Array<Sent> = []
  if (response.status !== 200) return { status: response.status, sent }
  expect(response.headers.get("content-type")).toBe("text/event-stream")
  let text = ""
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const parts = text.split("\n\n")
    text = parts.pop()!
    for (const part of parts) {
      const fields = new Map(part.split("\n").map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]))
      const one = { id: Number(fields.get("id")), event: fields.get("event")!, data: JSON.parse(fields.get("data")!) }
      sent.push(one)
      if (options.until?.(one) === true) {
        stop.abort()
        return { status: response.status, sent }
      }
    }
  }
  return { status: response.status, sent }
}

const isAsked = ({ event }: Sent) => event === "ApprovalRequested"

describe("the service", () => {
  it("deploys a first release and streams its events to the end", async () => {
    const started = await post("/deployments", { environment, version: "1.0.0", correlationId: "first" })
    expect(started).toEqual({
      status: 202,
      json: { correlationId: "first", joined: false, events: "/deployments/first/events" }
    })
    const { sent } = await read("first")
    expect(sent.map(({ id }) => id)).toEqual(sent.map((_, index) => index + 1))
    expect(sent[0]?.data).toMatchObject({ stream: "first", event: { spec: { leaseTtl: "15000 millis" } } })
    expect(sent.at(-1)?.data).toMatchObject({ event: { _tag: "ExecutionTransitioned", on: "completed" } })
    expect(await answer("first")).toBe("hello from 1.0.0\n")
  })

  it("continues after the client's last event, and reports the end", async () => {
    const { sent } = await read("first")
    const half = Math.floor(sent.length / 2)
    expect((await read("first", { after: half })).sent).toEqual(sent.slice(half))
    expect(await read("first", { after: sent.length })).toEqual({ status: 204, sent: [] })
  })

  it("takes an approval; a client that lost its connection misses nothing", async () => {
    await post("/deployments", { environment, version: "2.0.0", correlationId: "second" })
    const before = await read("second", { until: isAsked })
    expect((await state("second")).status).toBe("paused")
    const after = read("second", { after: before.sent.at(-1)!.id })
    expect((await post("/deployments/second/approve", { reason: "looks good" })).status).toBe(202)
    const all = [...before.sent, ...(await after).sent]
    expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1))
    expect(all.find(({ event }) => event === "CommandIssued")?.data).toMatchObject({
      event: { command: "approve", by: "service", reason: "looks good" }
    })
    expect(await answer("second")).toBe("hello from 2.0.0\n")
  })

  it("answers mistakes with typed errors, and changes nothing", async () => {
    expect(await post("/deployments", { environment: "prod", version: "3" })).toMatchObject({
      status: 400,
      json: { error: { code: "unknown_environment", path: "environments" } }
    })
    expect((await post("/deployments", { environment })).status).toBe(400)
    expect((await post("/deployments/second/explode")).status).toBe(400)
    expect(await post("/deployments/second/abort")).toMatchObject({
      status: 409,
      json: { error: { code: "already_finished" } }
    })
    expect((await read("nobody")).status).toBe(404)
  })

  it("pauses running executions when it ends, and the next one carries them on", async () => {
    await post("/deployments", { environment, version: "3.0.0", correlationId: "third" })
    await read("third", { until: isAsked })
    const blocked = await post("/deployments", { environment, version: "4.0.0" })
    expect(blocked).toMatchObject({ status: 409, json: { error: { code: "blocked_by_lease" } } })
    const asked = Promise.withResolvers<void>()
    const cut = read("third", {
      until: (sent) => {
        if (isAsked(sent)) asked.resolve()
        return false
      }
    })
    await asked.promise
    await running.service.close()
    expect((await cut).sent.at(-1)?.event).not.toBe("ExecutionRequested")

    running = await open()
    const rest = read("third")
    expect((await post("/deployments/third/approve")).status).toBe(202)
    expect((await rest).sent.at(-1)?.data).toMatchObject({ event: { _tag: "ExecutionTransitioned", on: "completed" } })
    expect((await state("third")).stacks[0]?.release?.version).toBe("3.0.0")
  })
})
