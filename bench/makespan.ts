import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Result } from "effect"
import { Configuration, CorrelationId, EnvironmentName, Providers, Signalbox } from "@signalbox/core"
import { SimulatedProvider } from "@signalbox/core/testing"
import { embeddedStore } from "@signalbox/node"
import type { Row } from "./measure.ts"

const count = 100

/** A graph with chains, fans and joins; always the same one. */
const graph = Array.from({ length: count }, (_, n) => ({
  name: `s${n}`,
  millis: 200 + ((n * 137) % 400),
  dependsOn: [
    ...new Set([Math.floor(n / 2) - 1, n - 10, (n * 31) % Math.max(1, n)].filter((m) => m >= 0 && m < n))
  ].map((m) => `s${m}`)
}))

const criticalPath = (): number => {
  const ends = new Map<string, number>()
  for (const { dependsOn, millis, name } of graph) {
    ends.set(name, Math.max(0, ...dependsOn.map((dependency) => ends.get(dependency)!)) + millis)
  }
  return Math.max(...ends.values())
}

/** How long a graph of 100 stacks takes, against its critical path: what the slowest chain takes with no overhead at all. */
export const makespan = async (): Promise<ReadonlyArray<Row>> => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  const cloud = SimulatedProvider.make({ capabilities: SimulatedProvider.shapes.transactional })
  for (const { millis, name } of graph) cloud.script(name, "*", { stageMillis: millis })
  const gate = { interval: "1 millis", consecutivePasses: 1, gracePeriod: "0 millis", minSamples: 0 }
  const manifest = Result.getOrThrow(
    Configuration.check(
      {
        organization: "acme",
        project: "graph",
        environments: { production: {} },
        parallelism: count,
        stacks: graph.map(({ dependsOn, name }) => ({ name, dependsOn, provider: "simulated", gate }))
      },
      new Map([["simulated", cloud.provider]])
    )
  )
  const correlationId = CorrelationId.make("graph")
  const state = await Effect.gen(function* () {
    const signalbox = yield* Signalbox
    const { deploymentId } = yield* signalbox.deployments.init({ manifest, by: "bench" })
    yield* signalbox.executions.submit({
      kind: "deploy",
      correlationId,
      deploymentId,
      environment: EnvironmentName.make("production"),
      manifest,
      by: "bench",
      version: "1"
    })
    return yield* signalbox.executions.run(correlationId)
  }).pipe(
    Effect.provide(
      Signalbox.layer.pipe(
        Layer.provideMerge(embeddedStore({ directory })),
        Layer.provide(Providers.layer([cloud.provider]))
      )
    ),
    Effect.runPromise
  )
  rmSync(directory, { recursive: true, force: true })
  const stage = state.stages.find(({ name }) => name === "deployment")!
  const value = stage.finishedAt! - stage.startedAt!
  const path = criticalPath()
  return [
    {
      group: "makespan",
      what: `deployment of ${count} stacks`,
      value,
      unit: "ms",
      against: "critical path",
      ratio: value / path,
      goal: 1.05,
      note: `critical path ${path} ms; ${state.status}`
    }
  ]
}
