/** What the tests of notifications share: executions in a store in memory, and receivers. */
import { it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  CorrelationId,
  DeploymentId,
  EnvironmentName,
  type EventOf,
  NotificationsSpec
} from "../../../src/domain/index.ts"
import * as EventId from "../../../src/domain/EventId.ts"
import { ExecutionLog } from "../../../src/engine/log/index.ts"
import { NotifyWorker } from "../../../src/engine/notify/index.ts"
import {
  DeploymentStore,
  type LeaseStore,
  Notifications,
  notificationSetup,
  type NotificationSetup
} from "../../../src/spi/index.ts"
import { layerMemory } from "../../../src/store/index.ts"
import type { MemoryReceiver } from "../../../src/testing/notifier/MemoryReceiver.ts"
import { initialized, requested } from "../../../src/testing/suites/storeHistories.ts"

export const place = { deploymentId: DeploymentId.make("DX6604E"), environment: EnvironmentName.make("production") }
const decode = Schema.decodeUnknownSync(NotificationsSpec)

export const setupOf = (
  receivers: Readonly<Record<string, MemoryReceiver>>,
  settings: object = {}
): NotificationSetup =>
  notificationSetup({
    settings: decode({
      channels: Object.fromEntries(Object.keys(receivers).map((name) => [name, { kind: name }])),
      ...settings
    }),
    kinds: new Map(
      Object.entries(receivers).map(([name, { notifier }]) => [
        name,
        { check: () => [], make: () => Effect.succeed(notifier) }
      ])
    )
  })

export const at = Date.now()

export const first = (id: CorrelationId) => ({ ...requested(place, id, at), id: EventId.requested })

/** Writes a deployment and an execution up to an end, through the only way into the log. */
export const history = (
  setup: NotificationSetup,
  id: string,
  ...ons: ReadonlyArray<EventOf<"ExecutionTransitioned">["on"]>
) =>
  Effect.gen(function* () {
    const store = yield* DeploymentStore
    if ((yield* store.deployment(place.deploymentId)) === undefined) {
      yield* store.append({ stream: place.deploymentId, events: [initialized(place)] })
    }
    const correlationId = CorrelationId.make(id)
    yield* ExecutionLog.write(id, [first(correlationId)])
    for (const on of ons) {
      yield* ExecutionLog.write(id, [{ id: EventId.execution(on), at, event: { _tag: "ExecutionTransitioned", on } }])
    }
  }).pipe(Effect.provideService(Notifications, Effect.succeed(setup)))

export const flush = (setup: NotificationSetup, patience = Duration.seconds(5)) =>
  Effect.scoped(Effect.flatMap(NotifyWorker.make(setup), (worker) => worker.flush(patience)))

export const kinds = (receiver: MemoryReceiver) => receiver.arrivals().map(({ message }) => message.facts.kind)

export const everything = { routes: [{ to: ["ops"] }] }

export const test = (title: string, body: Effect.Effect<unknown, unknown, DeploymentStore | LeaseStore>) =>
  it.live(title, () => Effect.provide(body, Layer.fresh(layerMemory)))

/** With a clock that is ahead. */
export const later =
  (by: Duration.Input) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) => {
      const millis = Duration.toMillis(by)
      const ahead: Clock.Clock = Object.assign(Object.create(clock), {
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis
      })
      return Effect.provideService(effect, Clock.Clock, ahead)
    })
