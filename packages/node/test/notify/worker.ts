/**
 * A process that sends notifications until it is killed: `worker.ts <folder or URL> <receiver>`. It prints its memory, in
 * MiB: what the process has, and what is alive after a collection.
 */
import { fromNotifier, NotifyFailure, type PluginNotifier } from "@signalbox/core/plugin"
import { NotifyWorker } from "@signalbox/core/engine"
import { type NotificationSetup, notificationSetup } from "@signalbox/core/spi"
import { embeddedStore, postgresStore, ProcessLiveness } from "@signalbox/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

/** Posts to the receiver under the key of the delivery. */
const hook = (receiver: string): PluginNotifier => ({
  load: ({ channel }) => ({
    capabilities: { update: false, thread: false, acknowledge: false, dedupe: "key", limits: { bytes: 65_536 } },
    render: (_, { title }) => ({ title }),
    send: async ({ delivery, signal }) => {
      const { message } = delivery
      const { at, facts, seq, stream } = message
      const folded = facts.kind === "recovery_summary" ? { folded: facts.items.length + facts.more } : {}
      let response: Response
      try {
        response = await fetch(`${receiver}/${channel}`, {
          method: "POST",
          signal,
          body: JSON.stringify({ id: delivery.id, stream, seq, at, ...folded })
        })
      } catch (error) {
        const { code } = ((error as { readonly cause?: unknown }).cause ?? {}) as { readonly code?: string }
        throw new NotifyFailure(
          code === "ECONNREFUSED"
            ? { _tag: "Unavailable", message: "refused" }
            : { _tag: "Unknown", message: "the connection was lost" }
        )
      }
      if (response.ok) return {}
      throw new NotifyFailure({ _tag: "Unavailable", message: `HTTP ${response.status}` })
    }
  })
})

/** Two channels at one receiver. */
export const setupAt = (receiver: string): NotificationSetup =>
  notificationSetup({
    settings: {
      channels: { steady: { kind: "hook" }, flaky: { kind: "hook" } },
      routes: [{ to: ["steady", "flaky"] }]
    },
    kinds: new Map([
      ["hook", fromNotifier("hook", hook(receiver), { directory: ".", stateDirectory: "." }, () => undefined)]
    ])
  })

/** The store of a folder, or behind a URL of Postgres. */
export const storeAt = (where: string) =>
  where.startsWith("postgres:") ? postgresStore({ url: Redacted.make(where) }) : embeddedStore({ directory: where })

const [, program, where = "", receiver = ""] = process.argv

if (program?.endsWith("worker.ts") === true) {
  const mebi = (bytes: number) => Math.round(bytes / 1_048_576)
  const memory = () => {
    globalThis.gc?.()
    const { external, heapUsed, rss } = process.memoryUsage()
    process.stdout.write(`${mebi(rss)} ${mebi(heapUsed + external)}\n`)
  }
  setInterval(memory, 2_000)
  await Effect.runPromise(
    Effect.scoped(Effect.flatMap(NotifyWorker.make(setupAt(receiver)), ({ run }) => run)).pipe(
      Effect.provide(Layer.provideMerge(storeAt(where), ProcessLiveness.layer))
    )
  )
}
