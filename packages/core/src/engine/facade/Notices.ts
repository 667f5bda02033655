import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { reject, type Rejected } from "../../api/Rejected.ts"
import { inLines } from "../../api/TextCheck.ts"
import * as EventId from "../../domain/EventId.ts"
import type { Json } from "../../domain/Release.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import { Notifications, type NotificationSetup } from "../../spi/Notifications.ts"
import type { NotifyError } from "../../spi/NotifyError.ts"
import type { DeliveryQuery, DeliveryState } from "../../spi/Outbox.ts"
import type { Receipt } from "../../spi/Notifier.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { nearest } from "../../text/index.ts"
import { ExecutionLog } from "../log/index.ts"
import { messageName, NotifyWorker, Overview, Trial, unattendedSince } from "../notify/index.ts"

/** Notifications: what is owed and sent, acknowledgements, and trials of channels. */
export class Notices extends Context.Service<
  Notices,
  {
    /** Deliveries on record. */
    readonly list: (query: DeliveryQuery) => Effect.Effect<ReadonlyArray<DeliveryState>, StoreError>
    /** Since when something of a deployment, or of any, waits that no process has dealt with; undefined if nothing does. */
    readonly unattendedSince: (deploymentId?: string) => Effect.Effect<number | undefined, StoreError>
    /** What follows from an execution: its messages, where each goes, and which route says so. */
    readonly explain: (stream: string) => Effect.Effect<ReadonlyArray<Overview.Explained>, Rejected | StoreError>
    /** What would be sent now, without sending it. */
    readonly preview: Effect.Effect<ReadonlyArray<DeliveryState>, Rejected | StoreError>
    /** Sends dead deliveries again: one, or all of them. Returns them. */
    readonly retry: (id?: string) => Effect.Effect<ReadonlyArray<DeliveryState>, Rejected | StoreError>
    /** Acknowledges a notification, by id or by its link: nothing more of it is sent. Returns the delivery that was named. */
    readonly acknowledge: (
      id: string,
      options: { readonly by: string; readonly reason?: string }
    ) => Effect.Effect<DeliveryState, Rejected | StoreError>
    /** Sends what is owed, for `patience` at most. */
    readonly flush: (patience: Duration.Duration) => Effect.Effect<NotifyWorker.Flushed, Rejected | StoreError>
    /** Sends what is owed until it is interrupted. */
    readonly watch: Effect.Effect<never, Rejected | StoreError>
    /** Renders a test message for a channel, and sends it unless told otherwise. */
    readonly test: (
      channel: string,
      options: { readonly by: string; readonly send: boolean }
    ) => Effect.Effect<{ readonly rendered: Json; readonly receipt: Receipt | null }, Rejected | NotifyError>
  }
>()("@signalbox/core/engine/facade/Notices") {
  static readonly layer: Layer.Layer<Notices, never, DeploymentStore | LeaseStore> = Layer.effect(
    Notices,
    Effect.gen(function* () {
      const services = yield* Effect.context<DeploymentStore | LeaseStore>()
      const store = yield* DeploymentStore
      const given = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, services)

      const configured: Effect.Effect<NotificationSetup, Rejected> = Effect.flatMap(
        Effect.flatMap(Notifications, (read) => read),
        (setup) => (setup === undefined ? Effect.fail(reject("notifications_missing", {})) : Effect.succeed(setup))
      )

      const working = <A, E>(body: (worker: NotifyWorker.NotifyWorker) => Effect.Effect<A, E>) =>
        Effect.flatMap(configured, (setup) => given(Effect.scoped(Effect.flatMap(NotifyWorker.make(setup), body))))

      const named = Effect.fnUntraced(function* (id: string) {
        const [found] = yield* store.outbox.deliveries({ id })
        return found ?? (yield* reject("unknown_delivery", { delivery: id }))
      })

      /** A link is as good as the id that it was signed for. */
      const deliveryIn = Effect.fnUntraced(function* (given: string) {
        if (!/^https?:/.test(given)) return given
        const links = (yield* configured).ackLinks
        const accepted = links?.accept(given, yield* Clock.currentTimeMillis) ?? { _tag: "Invalid" as const }
        if (accepted._tag === "Accepted") return accepted.id
        return yield* reject(accepted._tag === "Expired" ? "ack_link_expired" : "ack_link_invalid", {})
      })

      return Notices.of({
        list: store.outbox.deliveries,
        unattendedSince: (deploymentId) => given(unattendedSince(deploymentId)),
        explain: (stream) => Effect.flatMap(configured, (setup) => given(Overview.explain(setup, stream))),
        preview: Effect.flatMap(configured, (setup) => given(Overview.preview(setup))),
        retry: Effect.fnUntraced(function* (id) {
          const own = (yield* configured).deploymentId
          const all =
            id === undefined
              ? yield* store.outbox.deliveries({ deploymentId: own, statuses: ["dead"], limit: 10_000 })
              : [yield* named(id)]
          const dead = all.filter(
            ({ deploymentId, status }) => status === "dead" && (own === undefined || own === deploymentId)
          )
          return yield* given(Effect.scoped(Overview.revive(dead)))
        }),
        acknowledge: Effect.fnUntraced(function* (id, options) {
          const { by, reason } = options
          yield* inLines(options)
          const found = yield* named(yield* deliveryIn(id))
          const notification = messageName(found.message)
          const at = yield* Clock.currentTimeMillis
          yield* ExecutionLog.write(found.stream, [
            {
              id: EventId.acknowledged(notification),
              at,
              event: {
                _tag: "NotificationAcknowledged",
                notification,
                by,
                ...(reason === undefined ? {} : { reason })
              }
            }
          ]).pipe(
            given,
            Effect.catchTag(["IllegalTransition", "LeaseLost"], (error) => Effect.die(error))
          )
          return found
        }),
        flush: (patience) => working((worker) => worker.flush(patience)),
        watch: working((worker) => worker.run),
        test: Effect.fnUntraced(function* (channel, { by, send }) {
          const setup = yield* configured
          const names = Object.keys(setup.settings.channels)
          if (!names.includes(channel)) {
            const near = nearest(channel, names)
            return yield* reject("unknown_channel", {
              channel,
              known: names,
              ...(near === undefined ? {} : { nearest: near })
            })
          }
          return yield* Trial.test(setup, channel, by, send)
        })
      })
    })
  )
}
