import { spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer, text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { layerPlugin } from "@signalbox/core/plugin"
import { DeploymentStore, LeaseStore, type StoreError } from "@signalbox/core/spi"
import { layerEncoded, makeMemory } from "@signalbox/core/store"
import { Configuration, CorrelationId, EnvironmentName, Providers, Signalbox } from "@signalbox/core"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Layer, Result } from "effect"
import type { Postgres } from "../packages/node/test/support/postgres.ts"
import { parseAddress } from "../packages/provider-aws/src/dynamodb/Address.ts"
import { packEvents } from "../packages/provider-aws/src/dynamodb/events.ts"
import { packed, sizeOf as packedSize } from "../packages/provider-aws/src/dynamodb/items.ts"
import { openStore } from "../packages/provider-aws/src/dynamodb/store.ts"
import { createTable } from "../packages/provider-aws/src/dynamodb/table.ts"
import { start } from "../scripts/aws-emulators.mjs"
import { fill } from "./log.ts"
import { quantile, type Row } from "./measure.ts"
import { node } from "./paths.ts"

const region = "eu-west-1"
const context = { directory: ".", stateDirectory: ".signalbox" }

interface Counted {
  calls: number
  writes: number
  reads: number
}

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? {}))
const units = (bytes: number, unit: number): number => Math.max(1, Math.ceil(bytes / unit))

/** A way to the emulator that counts calls, and about the units that AWS would bill. */
const counting = async (target: string) => {
  const counted: Counted = { calls: 0, writes: 0, reads: 0 }
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1)
    const { connection: _, "content-length": __, host: ___, ...headers } = request.headers
    const answer = await fetch(target, { method: "POST", headers: headers as Record<string, string>, body })
    const answered = Buffer.from(await answer.arrayBuffer())
    response.writeHead(answer.status, {
      "content-type": "application/x-amz-json-1.0",
      date: answer.headers.get("date")!
    })
    response.end(answered)
    counted.calls += 1
    if (operation === "TransactWriteItems") {
      for (const { Put } of JSON.parse(body.toString()).TransactItems)
        counted.writes += 2 * units(sizeOf(Put?.Item), 1_024)
    } else if (operation === "GetItem" || operation === "Query" || operation === "BatchGetItem") {
      counted.reads += units(answered.byteLength, 4_096)
    } else counted.writes += 1
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counted, close: () => server.close() }
}

/** Two deployments of so many stacks in a canary, by the engine, with their state in these stores. */
const deployment = async (
  stores: Layer.Layer<DeploymentStore | LeaseStore, StoreError>,
  stacks: number
): Promise<string> => {
  const { revisions } = SimulatedProvider.shapes
  const cloud = SimulatedProvider.make({ capabilities: revisions, requestsPerSecond: 100_000 })
  const gate = { interval: "50 millis", consecutivePasses: 1, gracePeriod: "0 millis", minSamples: 1 }
  const strategy = { type: "canary", steps: [10, 50, 100].map((weight) => ({ weight, bake: "200 millis" })) }
  const names = Array.from({ length: stacks }, (_, n) => `stack-${n}`)
  const properties = { command: ["node", "server.mjs"], memory: 512, env: { LOG_LEVEL: "info", REGION: region } }
  const config = {
    organization: "acme",
    project: "shop",
    environments: { production: {} },
    parallelism: 20,
    stacks: names.map((name) => ({ name, provider: "simulated", gate, strategy, properties }))
  }
  const manifest = Result.getOrThrow(Configuration.check(config, new Map([["simulated", cloud.provider]])))
  const program = Effect.gen(function* () {
    const { deployments, executions } = yield* Signalbox
    const { deploymentId } = yield* deployments.init({ manifest, by: "bench" })
    let status = ""
    for (const version of ["1", "2"]) {
      const correlationId = CorrelationId.make(`deploy-${version}`)
      const environment = EnvironmentName.make("production")
      yield* executions.submit({
        kind: "deploy",
        correlationId,
        deploymentId,
        environment,
        manifest,
        by: "bench",
        version
      })
      status = (yield* executions.run(correlationId)).status
    }
    return status
  })
  const services = Signalbox.layer.pipe(Layer.provideMerge(stores), Layer.provide(Providers.layer([cloud.provider])))
  return Effect.runPromise(Effect.provide(program, services))
}

interface Sizes {
  appends: number
  state: number
  environment: number
  events: number
}

/** A store in memory that keeps the largest sizes, as they would be in DynamoDB. */
const measuring = (sizes: Sizes) =>
  layerEncoded(
    Effect.sync(() => {
      const memory = makeMemory()
      const stored = (text: string | undefined) => (text === undefined ? 0 : packedSize(packed(text)))
      const commit: typeof memory.deployments.commit = (write) => {
        sizes.appends += 1
        sizes.state = Math.max(sizes.state, stored(write.execution?.state))
        sizes.environment = Math.max(sizes.environment, stored(write.environment?.state))
        if (write.events.length > 0) {
          const packs = packEvents(write.events).map(({ events }) => packedSize(events as string))
          sizes.events = Math.max(sizes.events, ...packs)
        }
        return memory.deployments.commit(write)
      }
      return { ...memory, deployments: { ...memory.deployments, commit } }
    })
  )

const worker = fileURLToPath(new URL("../packages/provider-aws/test/dynamodb/worker.ts", import.meta.url))

/** Processes that append at once: appends a second, and how long each took. */
const appending = async (url: string, processes: number, appends: number) => {
  const began = performance.now()
  const outputs = await Promise.all(
    Array.from({ length: processes }, async (_, n) => {
      const args = ["--conditions=@signalbox/source", worker, "append", url, `w${n}`, `${appends}`]
      const child = spawn(node, args, { stdio: ["ignore", "pipe", "inherit"] })
      return JSON.parse(await text(child.stdout)) as ReadonlyArray<number>
    })
  )
  const seconds = (performance.now() - began) / 1_000
  return { rate: (processes * appends) / seconds, p99: quantile(outputs.flat(), 0.99) }
}

/** The store in DynamoDB, on an emulator: what a deployment calls, how large its items are, and how it compares with Postgres. */
export const shared = async (postgres: Postgres | undefined): Promise<ReadonlyArray<Row>> => {
  process.env["AWS_ACCESS_KEY_ID"] ??= "test"
  process.env["AWS_SECRET_ACCESS_KEY"] ??= "test"
  const emulator = await start()
  const rows: Array<Row> = []
  const row = (what: string, value: number, unit: string, more: Partial<Row> = {}) =>
    void rows.push({ group: "shared", what, value, unit, ...more })
  const tableAt = async (table: string, endpoint = emulator.url) => {
    const urlAt = (at: string) => `dynamodb://${table}?region=${region}&endpoint=${encodeURIComponent(at)}`
    await createTable(parseAddress(urlAt(emulator.url)))
    return urlAt(endpoint)
  }

  try {
    const proxy = await counting(emulator.url)
    const stores = layerPlugin({ load: openStore }, await tableAt("deploy", proxy.url), context)
    const one = await deployment(stores, 1)
    const { calls, reads, writes } = proxy.counted
    proxy.close()
    row("calls of a deployment of one stack in a canary", calls / 2, "", {
      note: `${one}; about ${Math.round(writes / 2)} write and ${Math.round(reads / 2)} read units`
    })
    const sizes: Sizes = { appends: 0, state: 0, environment: 0, events: 0 }
    const hundred = await deployment(measuring(sizes), 100)
    row("appends of a deployment of 100 stacks in a canary", sizes.appends / 2, "", { note: hundred })
    for (const [what, size] of [
      ["state of the execution", sizes.state],
      ["state of the environment", sizes.environment],
      ["events of one append", sizes.events]
    ] as const) {
      row(`largest ${what}, 100 stacks`, size / 1_024, "KB")
    }

    const log = await counting(emulator.url)
    const url = await tableAt("log", log.url)
    const within = <A, E>(effect: Effect.Effect<A, E, DeploymentStore | LeaseStore>) =>
      Effect.runPromise(Effect.provide(effect, layerPlugin({ load: openStore }, url, context)))
    const look = Effect.gen(function* () {
      const store = yield* DeploymentStore
      const { items } = yield* store.executions({ limit: 10 })
      yield* store.execution(items[0]!.correlationId)
      yield* store.environments(items[0]!.deploymentId)
      yield* store.head
      yield* Effect.flatMap(LeaseStore, (leases) => leases.list)
    })
    /** What a newly opened store reads for a status. In units, since the emulator's own time grows with its tables. */
    const unitsAt = async (from: number, to: number): Promise<{ readonly calls: number; readonly reads: number }> => {
      await within(fill(from, to))
      // The first one writes down how far the log is complete.
      await within(look)
      const { calls, reads } = log.counted
      await within(look)
      return { calls: log.counted.calls - calls, reads: log.counted.reads - reads }
    }
    const small = await unitsAt(0, 1_000)
    const large = await unitsAt(1_000, 100_000)
    log.close()
    row("read units of a status at 10⁵ events", large.reads, "", {
      against: "10³",
      ratio: large.reads / small.reads,
      goal: 1.5,
      note: `${large.calls} calls, and ${small.calls}`
    })

    const [processes, appends] = [20, 50]
    const own = await appending(await tableAt("append"), processes, appends)
    const theirs = postgres === undefined ? undefined : await appending(postgres.database(), processes, appends)
    row(`appends by ${processes} processes`, own.rate, "/s", {
      note: `p99 ${own.p99.toFixed(0)} ms${theirs === undefined ? "" : `; Postgres ${theirs.rate.toFixed(0)}/s, p99 ${theirs.p99.toFixed(0)} ms`}`
    })
    return rows
  } finally {
    await emulator.stop()
  }
}
