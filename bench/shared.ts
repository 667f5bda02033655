import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { layerPlugin } from "@signalbox/core/plugin"
import type { DeploymentStore, LeaseStore, StoreError } from "@signalbox/core/spi"
import { Configuration, CorrelationId, EnvironmentName, Providers, Signalbox } from "@signalbox/core"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Layer, Result } from "effect"
import type { Postgres } from "../packages/node/test/support/postgres.ts"
import { parseAddress } from "../packages/provider-aws/src/dynamodb/Address.ts"
import { openStore } from "../packages/provider-aws/src/dynamodb/store.ts"
import { createTable } from "../packages/provider-aws/src/dynamodb/table.ts"
import { start } from "../scripts/aws-emulators.mjs"
import { quantile, type Row } from "./measure.ts"
import { node } from "./paths.ts"
import { counting } from "./sharedCounting.ts"
import { status } from "./sharedStatus.ts"

const region = "eu-west-1"
const context = { directory: ".", stateDirectory: ".signalbox" }

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
    for (const stacks of [1, 100]) {
      const url = await tableAt(`deploy-${stacks}`, proxy.url)
      const ended = await deployment(layerPlugin({ load: openStore }, url, context), stacks)
      const { by, calls, largest, reads, writes } = proxy.take()
      const many = stacks === 1 ? "one stack" : `${stacks} stacks`
      const each = Object.entries(by).map(([operation, times]) => `${operation} ${times / 2}`)
      row(`calls of a canary, ${many}`, calls / 2, "", { note: `${ended}; ${each.join(", ")}` })
      row(`write units of a canary, ${many}`, writes / 2, "")
      row(`read units of a canary, ${many}`, reads / 2, "")
      for (const [kind, bytes] of Object.entries(largest)) row(`largest ${kind}, ${many}`, bytes / 1_024, "KB")
    }
    proxy.close()

    rows.push(...(await status(emulator.url, tableAt)))

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
