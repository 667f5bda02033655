import * as PgClient from "@effect/sql-pg/PgClient"
import { type DeploymentStore, type LeaseStore, StoreError } from "@signalbox/core/spi"
import { layerEncoded, makeSql, storeError } from "@signalbox/core/store"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const channel = "signalbox"

/** Both stores over Postgres; a separate module, so that its client is loaded only on demand. */
export const layerPostgres = (options: {
  readonly url: Redacted.Redacted
  readonly maxConnections?: number
}): Layer.Layer<DeploymentStore | LeaseStore, StoreError> => {
  const detail = wrongWith(Redacted.value(options.url))
  if (detail !== undefined) {
    return Layer.effectContext(Effect.fail(new StoreError({ operation: "open", reason: "Misconfigured", detail })))
  }
  const client = PgClient.layer({
    url: options.url,
    applicationName: "signalbox",
    maxConnections: (options.maxConnections ?? 10) + 1
  })
  return Layer.provide(
    layerEncoded(makePostgres),
    Layer.effectContext(closesInTime(Effect.flatMap(Scope.Scope, (scope) => Layer.buildWithScope(client, scope))))
  ).pipe(Layer.catchTag("SqlError", (error) => Layer.effectContext(Effect.fail(storeError("open")(error)))))
}

/**
 * The client reports a wrong address as an unavailable database, and a caller that believes it continues without a
 * lease.
 */
const wrongWith = (address: string): string | undefined => {
  if (!URL.canParse(address)) return "the address of the database is no URL"
  const { protocol, username } = new URL(address)
  if (!/^postgres(ql)?:$/.test(protocol)) return `the address of the database begins with ${protocol}`
  const user = username || process.env["USER"] || process.env["USERNAME"]
  return user ? undefined : "the address of the database names no user"
}

/** Closing waits for answers of the server, such as the one to `UNLISTEN`. Over a connection that fell silent none comes. */
const closesInTime = <A, E, R>(open: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer((exit) =>
      Scope.close(scope, exit).pipe(
        Effect.forkDetach,
        Effect.flatMap((closing) => Effect.interruptible(Fiber.await(closing))),
        Effect.timeoutOption("2 seconds")
      )
    )
    return yield* Effect.provideService(open, Scope.Scope, scope)
  })

const makePostgres = Effect.gen(function* () {
  const client = yield* PgClient.PgClient
  const encoded = yield* makeSql
  const news = yield* Queue.sliding<void>(1)
  yield* Queue.take(news).pipe(
    // A process that misses it polls anyway.
    Effect.andThen(Effect.ignore(client.notify(channel, ""))),
    Effect.withTracerEnabled(false),
    Effect.forever,
    Effect.forkScoped
  )
  const heard = Stream.unwrap(Effect.map(closesInTime(client.listen(channel)), Stream.fromQueue)).pipe(
    Stream.map(() => undefined),
    Stream.retry(Schedule.spaced("1 second"))
  )
  const { commit, pulses } = encoded.deployments
  return {
    ...encoded,
    deployments: {
      ...encoded.deployments,
      commit: (write: Parameters<typeof commit>[0]) =>
        Effect.tap(commit(write), ({ _tag }) =>
          _tag === "Committed" && write.events.length > 0 ? Queue.offer(news, undefined) : Effect.void
        ),
      pulses: Stream.merge(pulses, Stream.orDie(heard))
    }
  }
})
