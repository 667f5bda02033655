/**
 * One process of one generation: deploys again and again, reads all that the others write, and tries to change it.
 * Prints what it did as one line of JSON.
 */
import { Configuration } from "@signalbox/core/config"
import { Monitor, Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, EnvironmentName, Providers, type StoredEvent } from "@signalbox/core/spi"
import { SimulatedProvider } from "@signalbox/core/testing"
import { postgresStore } from "@signalbox/node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"

const [url = "", name = "", seconds = "1"] = process.argv.slice(2)
const isNewer = name.startsWith("newer")
const until = Date.now() + Number(seconds) * 1_000
const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 } as const
const cloud = SimulatedProvider.make()
const manifest = Result.getOrThrow(
  Configuration.check(
    {
      organization: "acme",
      project: name,
      environments: { production: {} },
      leaseTtl: "5 seconds",
      stacks: [
        { name: "db", provider: "simulated", gate },
        { name: "web", provider: "simulated", dependsOn: ["db"], gate }
      ]
    },
    new Map([[cloud.provider.kind, cloud.provider]])
  )
)
const production = EnvironmentName.make("production")
const count = {
  completed: [] as Array<string>,
  ended: {} as Record<string, number>,
  read: 0,
  unknown: 0,
  attempts: 0,
  refused: 0,
  written: 0,
  watched: 0,
  failures: {} as Record<string, number>
}
const failed = (error: unknown) =>
  Effect.sync(() => {
    const { _tag = "defect", reason } = error as { readonly _tag?: string; readonly reason?: unknown }
    const key = typeof reason === "string" ? `${_tag} ${reason}` : _tag
    count.failures[key] = (count.failures[key] ?? 0) + 1
  })

const deploying = Effect.gen(function* () {
  const box = yield* Signalbox
  let deployment = yield* box.deployments.init({ manifest, by: name })
  // A new deployment has nothing to roll back to.
  let releases = 0
  for (let n = 1; (yield* Clock.currentTimeMillis) < until; n++) {
    const id = CorrelationId.make(`${name}-${n}`)
    const kind = n % 4 === 0 && releases > 1 ? ("rollback" as const) : ("deploy" as const)
    const done = yield* box.executions
      .submit({
        kind,
        correlationId: id,
        deploymentId: deployment.deploymentId,
        environment: production,
        manifest,
        by: name,
        ...(kind === "deploy" ? { version: `1.0.${n}` } : {}),
        ...(isNewer ? { origin: { commit: `commit-${n}` } } : {}),
        ...(n % 3 === 0 ? { queue: "fifo" as const } : {})
      })
      .pipe(
        Effect.andThen(box.executions.run(id)),
        Effect.tapError(failed),
        Effect.catchCause(() => Effect.undefined)
      )
    if (done === undefined) {
      deployment = yield* box.deployments.init({ manifest, by: name })
      releases = 0
    } else {
      if (kind === "deploy" && done.status === "completed") releases++
      count.ended[done.status] = (count.ended[done.status] ?? 0) + 1
      if (done.status === "completed") count.completed.push(id)
    }
  }
})

/** The feed of all: what `events --json` and dashboards read. */
const reading = Effect.gen(function* () {
  const store = yield* DeploymentStore
  let after = 0
  let probes = 0
  const others = new Set<CorrelationId>()
  const page = Effect.gen(function* () {
    const events: ReadonlyArray<StoredEvent> = yield* store.events({ after })
    after = events.at(-1)?.position ?? after
    count.read += events.length
    for (const { event, stream } of events) {
      if (event._tag === "Unknown") count.unknown++
      if (event._tag === "ExecutionRequested" && !stream.startsWith(name)) others.add(CorrelationId.make(stream))
    }
    for (const id of others) {
      yield* store.execution(id)
      if (isNewer) {
        // Leaves a tag that the older build lacks, in streams that older processes are writing.
        count.watched++
        const watcher = { monitor: name, run: name, restarts: 0 }
        yield* Monitor.watch(id, { once: true, watcher }).pipe(Effect.scoped)
        if (id.startsWith("newer") || ++probes % 10 !== 0) continue
      } else if (id.startsWith("older")) continue
      // A change of state: an older process may not make one; where a newer one does, the older runner has to stop.
      count.attempts++
      const at = yield* Clock.currentTimeMillis
      const event = { _tag: "AlertRaised", kind: "overdue", elapsedMs: 1 } as const
      yield* store.append({ stream: id, events: [{ id: `probe/${name}`, at, event }] }).pipe(
        Effect.tap(() => Effect.sync(() => count.written++)),
        Effect.catchTag("StoreError", (error) =>
          error.reason === "NewerWriter" ? Effect.sync(() => count.refused++) : Effect.fail(error)
        )
      )
    }
    others.clear()
  }).pipe(Effect.tapError(failed), Effect.ignore)
  yield* Effect.repeat(page, { schedule: Schedule.spaced("200 millis"), while: () => Date.now() < until + 2_000 })
})

const program = Effect.all([deploying, reading], { concurrency: 2 }).pipe(
  Effect.provide(
    Signalbox.layer.pipe(
      Layer.provideMerge(postgresStore({ url: Redacted.make(url) })),
      Layer.provideMerge(Providers.layer([cloud.provider]))
    )
  )
)
await Effect.runPromise(program)
process.stdout.write(`${JSON.stringify(count)}\n`)
process.exit(0)
