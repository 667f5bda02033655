import { assert, describe, it } from "@effect/vitest"
import { type Request } from "@signalbox/core/api"
import { Signalbox, spansOf, type TraceSpan, type CommandExecution } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, LeaseStore, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { Own, rootSpanIdOf, type SpanData, spanIdOf, Telemetry, traceIdOf } from "@signalbox/core/telemetry"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Context, Effect, Fiber, Layer, Scope, Stream, Tracer } from "effect"
import { TestClock } from "effect/testing"
import * as Runner from "../../../src/engine/execution/Runner.ts"
import { carryOut, config, deployed, drive, gate, manifestOf, pass, requestOf, settle } from "../support.ts"

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
const id = CorrelationId.make("second")

/**
 * What arrives: spans from logs through `send`, live ones through the tracer. `listens` is whether a collector accepts
 * them.
 */
const receiver = (sampled = true) => {
  const sent: Array<ReadonlyArray<SpanData>> = []
  const live: Array<Tracer.Span> = []
  const state = { listens: true }
  const telemetry = Layer.mergeAll(
    Layer.succeed(Telemetry, {
      sampled: () => sampled,
      parent,
      send: (spans) =>
        Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => {
            if (state.listens) sent.push(spans)
            return state.listens
          })
        )
    }),
    Layer.succeed(
      Tracer.Tracer,
      Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          if (Context.get(options.annotations, Own)) live.push(span)
          return span
        }
      })
    )
  )
  return { sent, live, state, telemetry }
}

/** Stores that outlive the facades on them, as a database outlives processes. */
const stores = (cloud: SimulatedProvider.SimulatedProvider) =>
  Layer.build(Layer.merge(layerMemory, Providers.layer([cloud.provider])))

const facade = (base: Effect.Success<ReturnType<typeof stores>>, telemetry: Layer.Layer<never> = Layer.empty) =>
  Signalbox.layer.pipe(Layer.provideMerge(Layer.succeedContext(base)), Layer.provide(telemetry))

const assertTree = (spans: ReadonlyArray<TraceSpan | SpanData>, of: string) => {
  const ids = spans.map(({ spanId }) => spanId)
  assert.strictEqual(new Set(ids).size, ids.length, "no span twice")
  assert.deepEqual(
    spans.filter((span) => span.parentSpanId === undefined).map(({ spanId }) => spanId),
    [rootSpanIdOf(of)]
  )
  for (const span of spans) {
    assert.strictEqual(span.traceId, traceIdOf(of))
    assert.isTrue(span.parentSpanId === undefined || ids.includes(span.parentSpanId), `${span.name} has its parent`)
    assert.isAtLeast(span.end, span.start, span.name)
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId) ?? span
    assert.isAtLeast(span.start, parent.start, `${span.name} begins in ${parent.name}`)
    assert.isAtMost(span.end, parent.end, `${span.name} ends in ${parent.name}`)
    assert.strictEqual(span.attributes["signalbox.correlation_id"], of)
  }
}

const canary = config({
  stacks: [
    { name: "db", provider: "simulated", gate },
    {
      name: "web",
      provider: "simulated",
      dependsOn: ["db"],
      gate,
      strategy: { type: "canary", steps: [{ weight: 10, bake: "3 seconds" }] }
    }
  ]
})

/** Deploys 1.0.0 in the quiet, and 2.0.0 with telemetry. */
const second = (given: {
  readonly cloud?: (cloud: SimulatedProvider.SimulatedProvider) => void
  readonly request?: Partial<Request>
  readonly telemetry: Layer.Layer<never>
}) =>
  Effect.gen(function* () {
    const cloud = SimulatedProvider.make()
    const base = yield* stores(cloud)
    const manifest = manifestOf(canary, cloud)
    const deploymentId = yield* Effect.provide(deployed(manifest), facade(base))
    given.cloud?.(cloud)
    const request = requestOf(manifest, deploymentId, id, { version: "2.0.0", ...given.request })
    const state = yield* Effect.provide(carryOut(request), facade(base, given.telemetry))
    const events = yield* Context.get(base, DeploymentStore).events({ stream: id, limit: 10_000 })
    return { base, cloud, events, manifest, request, state }
  })

/** A command that goes on until the lease is lost. */
const untilLost: CommandExecution = ({ deadlines }) =>
  Stream.runDrain(Stream.takeUntil(deadlines, (deadline) => deadline === 0)).pipe(
    Effect.as({ code: null, signal: "SIGKILL", asked: false })
  )

const fails = (cloud: SimulatedProvider.SimulatedProvider) =>
  cloud.fail({
    operation: "stage",
    stack: "web",
    times: Infinity,
    reason: { _tag: "Broken", message: "password=hunter2" }
  })

describe("the trace of an execution", () => {
  it.effect("is a tree with one root, at every moment of its log", () =>
    Effect.gen(function* () {
      const { telemetry } = receiver()
      for (const given of [{}, { cloud: fails }, { request: { kind: "destroy" as const } }]) {
        const { events } = yield* second({ ...given, telemetry })
        for (let length = 1; length <= events.length; length++) {
          const now = events[length - 1]!.at + 5
          assertTree(spansOf(events.slice(0, length), { project: "shop", now }), id)
        }
      }
      assert.deepEqual(spansOf([], { project: "shop", now: 0 }), [])
    })
  )

  it.effect(
    "shows a runner that was killed until its last sign of life, also where another execution took its place",
    () =>
      Effect.gen(function* () {
        const cloud = SimulatedProvider.make()
        const base = yield* stores(cloud)
        const manifest = manifestOf(canary, cloud)
        const deploymentId = yield* Effect.provide(deployed(manifest), facade(base))
        const store = Context.get(base, DeploymentStore)
        const leases = Context.get(base, LeaseStore)
        let killed = false
        const silent = <A, E>(effect: Effect.Effect<A, E>) => Effect.suspend(() => (killed ? Effect.never : effect))
        /** A runner that is killed after half a minute. */
        const cut = Effect.gen(function* () {
          const running = yield* Effect.forkChild(
            Effect.result(Runner.run(id, untilLost)).pipe(
              Effect.provideService(LeaseStore, {
                ...leases,
                renew: (...of) => silent(leases.renew(...of)),
                release: (lease) => silent(leases.release(lease))
              }),
              Effect.provideService(DeploymentStore, { ...store, append: (write) => silent(store.append(write)) }),
              Effect.provideContext(base)
            )
          )
          for (let second = 0; second < 30; second++) {
            yield* settle
            yield* TestClock.adjust("1 second")
          }
          killed = true
          yield* TestClock.adjust("1 hour")
          return running
        })
        const request = { kind: "run", command: "make deploy" } as const
        const box = yield* Effect.provide(Signalbox, facade(base))
        yield* box.executions.submit(requestOf(manifest, deploymentId, id, request))
        const running = yield* cut
        yield* Effect.provide(carryOut(requestOf(manifest, deploymentId, "third", { version: "3.0.0" })), facade(base))
        const spans = spansOf(yield* store.events({ stream: id, limit: 1_000 }), { project: "shop", now: 0 })
        assertTree(spans, id)
        const [run, ...others] = spans.filter(({ name }) => name === "Runner.run")
        assert.isEmpty(others)
        assert.isTrue(run!.attributes["signalbox.cut"])
        assert.closeTo(run!.end - run!.start, 28_000, 4_000)
        yield* Fiber.interrupt(running)
      })
  )

  it.effect("hangs the calls of providers under their steps", () =>
    Effect.gen(function* () {
      const { live, sent, telemetry } = receiver()
      const { events } = yield* second({ telemetry })
      const told = spansOf(events, { project: "shop", now: 0 })
      assert.strictEqual(sent.length, 1)
      assert.sameMembers(
        sent[0]!.map(({ spanId }) => spanId),
        told.map(({ spanId }) => spanId)
      )
      const ids = new Set(told.map(({ spanId }) => spanId))
      assert.isNotEmpty(live)
      for (const span of live) {
        assert.strictEqual(span.traceId, traceIdOf(id))
        const above = span.parent._tag === "Some" ? span.parent.value.spanId : ""
        assert.isTrue(ids.has(above), `${span.name} has its parent`)
      }
      const stage = live.find(({ name }) => name === "Provider.stage")
      assert.strictEqual(
        stage?.parent._tag === "Some" ? stage.parent.value.spanId : "",
        told.find(({ name }) => name === "Step.stage")?.spanId
      )
      assert.strictEqual(live[0]?.name, "Signalbox.submit")
      assert.strictEqual(told.find(({ name }) => name === "Step.plan")?.spanId, spanIdOf(id, "/step/plan/db#1"))
    })
  )

  it.effect("shows failures without their secrets, and the actor", () =>
    Effect.gen(function* () {
      const { sent, telemetry } = receiver()
      const { state } = yield* second({ cloud: fails, telemetry })
      assert.strictEqual(state.status, "rolled_back")
      const [root] = sent[0]!
      assert.deepInclude(root!.attributes, { "cicd.pipeline.result": "failure", "deployment.status": "failed" })
      assert.deepEqual(
        root!.links.map(({ spanId }) => spanId),
        ["b7ad6b7169203331"]
      )
      assert.isTrue(
        sent[0]!.some(
          ({ message, name, status }) => name === "Step.stage" && status === "error" && message !== undefined
        )
      )
      assert.notInclude(JSON.stringify(sent), "hunter2")
    })
  )

  it.effect("is left out if telemetry is off, or this trace is not sampled", () =>
    Effect.gen(function* () {
      const none = yield* second({ telemetry: Layer.empty })
      assert.notInclude(JSON.stringify(none.events), '"trace"')
      const { live, sent, telemetry } = receiver(false)
      const other = yield* second({ telemetry })
      assert.notInclude(JSON.stringify(other.events), '"trace"')
      assert.deepEqual([sent, live], [[], []])
    })
  )

  it.effect("gets its root from a later process if there was no collector, and only once", () =>
    Effect.gen(function* () {
      const { sent, state, telemetry } = receiver()
      state.listens = false
      const { base } = yield* second({ telemetry })
      const open = Effect.scoped(Layer.build(facade(base, telemetry)))
      yield* open
      assert.lengthOf(sent, 0)
      state.listens = true
      yield* Effect.all([open, open, open], { concurrency: 3 })
      yield* open
      assert.lengthOf(sent, 1)
      assertTree(sent[0]!, id)
      const markers = yield* Context.get(base, DeploymentStore).events({ stream: id, tags: ["TraceExported"] })
      assert.lengthOf(markers, 1)
    })
  )

  it.effect("shows the approver, the answer, and the command", () =>
    Effect.gen(function* () {
      const { live, sent, telemetry } = receiver()
      const cloud = SimulatedProvider.make()
      const base = yield* stores(cloud)
      const asking = config({
        stacks: [{ name: "web", provider: "simulated", gate, strategy: { type: "blue_green", approval: {} } }]
      })
      const manifest = manifestOf(asking, cloud)
      const deploymentId = yield* Effect.provide(deployed(manifest), facade(base))
      const scope = yield* Scope.make()
      const box = Context.get(yield* Layer.buildWithScope(facade(base, telemetry), scope), Signalbox)
      const { execution } = yield* box.executions.submit(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      const running = yield* Effect.forkChild(box.executions.run(execution.correlationId))
      const store = Context.get(base, DeploymentStore)
      const asked = Effect.map(store.execution(id), (state) => (state?.questions.length ?? 0) > 0)
      yield* pass(running, { until: asked })
      const following = yield* Effect.forkChild(box.executions.run(execution.correlationId))
      yield* settle
      yield* box.executions.command(id, { command: "approve", by: "ada" })
      assert.strictEqual((yield* drive(running)).status, "completed")
      assert.strictEqual((yield* drive(following)).status, "completed")
      assert.lengthOf(
        live.filter(({ name }) => name === "Lease.wait"),
        1
      )
      yield* Scope.close(scope, { _tag: "Success", value: undefined } as never)
      const wait = sent[0]!.find(({ name }) => name === "Approval.wait")
      assert.deepInclude(wait!.attributes, {
        "signalbox.answer": "continue",
        "signalbox.actor": "ada",
        "signalbox.stack": "web"
      })
      assert.isTrue(live.some(({ name }) => name === "Signalbox.approve"))
      const gates = sent[0]!.filter(({ name }) => name === "Gate.watch")
      assert.isTrue(
        gates.every(({ attributes, events }) => events.length > 0 && attributes["signalbox.verdict"] === "pass")
      )
    })
  )
})
