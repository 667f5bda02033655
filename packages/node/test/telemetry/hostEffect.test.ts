/**
 * The same for a program on Effect, whose spans are OpenTelemetry's.
 */
import * as OtelTracer from "@effect/opentelemetry/OtelTracer"
import { Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, EnvironmentName } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { SignalboxNode } from "@signalbox/node"
import { hostTelemetry } from "@signalbox/node/telemetry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { expect, it } from "vitest"
import { configuration } from "../sdk/support.ts"
import { idsOf, linksOf, startHost, treeOf } from "../support/host.ts"

const { provider } = SimulatedProvider.make()
const manifest = Result.getOrThrow(Configuration.check(configuration(), new Map([[provider.kind, provider]])))

/** Releases to an environment, in a span of that name. */
const release = (name: "production" | "staging") =>
  Effect.gen(function* () {
    const { deployments, executions } = yield* Signalbox
    const [known] = yield* deployments.list
    const correlationId = CorrelationId.make(`to-${name}`)
    const environment = EnvironmentName.make(name)
    yield* executions.submit({
      kind: "deploy",
      correlationId,
      deploymentId: known!.deploymentId,
      environment,
      manifest,
      by: "ada",
      version: "1.0.0"
    })
    const { status } = yield* executions.run(correlationId)
    yield* Effect.withSpan(Effect.void, `after ${name}`)
    return status
  }).pipe(Effect.withSpan(name))

it("links each span of Effect to the execution that it asked for, and leaves the program its tracer", async () => {
  const { spans } = startHost()
  const program = Effect.gen(function* () {
    const { deployments } = yield* Signalbox
    yield* deployments.init({ manifest, by: "ada" })
    return yield* Effect.all([release("production"), release("staging")], { concurrency: "unbounded" })
  })
  const signalbox = SignalboxNode.layerWith({ stores: layerMemory, providers: [provider] })
  const statuses = await program.pipe(
    // Built inside a span that asks for nothing.
    Effect.provide(Layer.provide(signalbox, hostTelemetry())),
    Effect.withSpan("program"),
    Effect.provide(OtelTracer.layerGlobal),
    Effect.runPromise
  )
  expect(statuses).toEqual(["completed", "completed"])
  const own = (name: string) => spans().find((span) => span.name === name)
  for (const name of ["production", "staging"]) {
    const { names, root } = treeOf(spans(), `to-${name}`)
    expect(names).toContain("Provider.stage")
    expect(linksOf(root)).toEqual([{ ...idsOf(own(name)), as: "caused_by" }])
    expect(linksOf(own(name))).toEqual([{ ...idsOf(root), as: "causes" }])
    expect(own(`after ${name}`)?.parentSpanContext?.spanId).toBe(idsOf(own(name)).spanId)
  }
  expect(linksOf(own("program"))).toEqual([])
})
