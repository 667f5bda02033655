import { assert, it } from "@effect/vitest"
import { type Append, DeploymentId, DeploymentStore, LeaseStore } from "@signalbox/core/spi"
import { postgresStore } from "@signalbox/node"
import { DeploymentStoreSuite, LeaseStoreSuite, OutboxSuite } from "@signalbox/core/testing"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { afterAll } from "vitest"
import { startPostgres } from "../support/postgres.ts"

const postgres = await startPostgres()

if (postgres !== undefined) {
  afterAll(postgres.stop)
  const url = postgres.database()
  const layer = postgresStore({ url: Redacted.make(url) })
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
  DeploymentStoreSuite.suite("Postgres", layer, {
    another: layer,
    probe: (stream) =>
      Effect.sync(() =>
        postgres.psql(url, `SELECT id FROM signalbox_events WHERE stream = ${quoted(stream)} ORDER BY seq`)
      )
  })
  LeaseStoreSuite.suite("Postgres", layer, {
    another: layer,
    probe: (key) =>
      Effect.sync(() => {
        const [fence] = postgres.psql(url, `SELECT fence FROM signalbox_leases WHERE key = ${quoted(key)}`)
        return fence === undefined ? undefined : Number(fence)
      })
  })

  OutboxSuite.suite("Postgres", layer, { another: layer })

  const changed = (change: (address: URL) => void): string => {
    const address = new URL(url)
    change(address)
    return address.href
  }
  it.live.each([
    ["a user that is not there", changed((address) => (address.username = "stranger")), "Misconfigured"],
    ["a database that is not there", changed((address) => (address.pathname = "/none")), "Misconfigured"],
    ["another kind of database", "mysql://ada@localhost/shop", "Misconfigured"],
    ["no address", "nonsense", "Misconfigured"],
    ["a server that is away", changed((address) => (address.port = "1")), "Unavailable"]
  ] as const)("says of %s whether to ask again", ([, address, reason]) =>
    Effect.gen(function* () {
      const opened = Layer.build(postgresStore({ url: Redacted.make(address) }))
      const error = yield* Effect.flip(opened)
      assert.deepStrictEqual([error.reason, error.isRetryable], [reason, reason === "Unavailable"], error.message)
    })
  )

  const initialized = (id: DeploymentId): Append => ({
    stream: id,
    events: [
      {
        id: "initialized",
        at: 1,
        event: {
          _tag: "DeploymentInitialized",
          deploymentId: id,
          organization: "o",
          project: "p",
          template: "t",
          environments: [],
          stacks: [],
          by: "test"
        }
      }
    ]
  })

  it.live("fails, and is no defect, if its connection is cut in the middle of a transaction", () =>
    Effect.gen(function* () {
      const address = postgres.database()
      yield* Effect.gen(function* () {
        const store = yield* DeploymentStore
        const append = store.append(initialized(DeploymentId.make("DX6604E")))
        postgres.psql(
          address,
          `CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
           CREATE TRIGGER cut BEFORE INSERT ON signalbox_deployments FOR EACH ROW EXECUTE FUNCTION cut()`
        )
        const error = yield* Effect.flip(append)
        assert.strictEqual(error._tag === "StoreError" ? error.reason : error._tag, "Unavailable")
        postgres.psql(address, "DROP TRIGGER cut ON signalbox_deployments")
        yield* append
      }).pipe(Effect.provide(postgresStore({ url: Redacted.make(address) })))
    })
  )

  it.live("goes on after its connections were cut, also with its changes", () =>
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const writer = Context.get(yield* Layer.build(Layer.fresh(layer)), LeaseStore)
      const other = Context.get(yield* Layer.build(Layer.fresh(layer)), DeploymentStore)
      const pulses = yield* Queue.unbounded<void>()
      yield* Effect.forkScoped(Stream.runForEach(store.changes, () => Queue.offer(pulses, undefined)))
      yield* Queue.take(pulses)
      yield* writer.acquire({ key: "before", holder: "h", owner: "o", ttl: Duration.minutes(1) })
      postgres.psql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signalbox'")
      const again = Effect.retry(store.head, {
        schedule: Schedule.upTo(Schedule.spaced("20 millis"), { duration: "10 seconds" }),
        while: ({ isRetryable }) => isRetryable
      })
      yield* again
      yield* Queue.takeAll(pulses).pipe(Effect.timeout("1 second"), Effect.ignore)
      const id = DeploymentId.make("D0C0T00")
      yield* Effect.retry(other.append(initialized(id)), { times: 5 })
      yield* Effect.timeout(Queue.take(pulses), "10 seconds")
      assert.strictEqual((yield* store.deployment(id))?.project, "p")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("keeps positions growing where a dump is restored into a younger server", () => {
    const restored = Redacted.make(postgres.database())
    const append = (n: number) =>
      Effect.flatMap(DeploymentStore, (store) => {
        const id = DeploymentId.make(`D00000${n}`)
        return Effect.map(
          store.append({
            stream: id,
            events: [
              {
                id: "initialized",
                at: 1,
                event: {
                  _tag: "DeploymentInitialized",
                  deploymentId: id,
                  organization: "o",
                  project: "p",
                  template: "t",
                  environments: [],
                  stacks: [],
                  by: "test"
                }
              }
            ]
          }),
          ([event]) => event!.position
        )
      }).pipe(Effect.provide(Layer.fresh(postgresStore({ url: restored }))))
    return Effect.gen(function* () {
      const before = yield* append(1)
      // As if it had been written by a server whose transactions were a million further.
      const older = 1_000_000 * 1_024
      postgres.psql(Redacted.value(restored), `UPDATE signalbox_events SET position = position + ${older}`)
      const after = yield* append(2)
      assert.isAbove(after, before + older)
      assert.isAbove(yield* append(3), after)
      const read = Effect.flatMap(DeploymentStore, (store) => Effect.all([store.events({}), store.head])).pipe(
        Effect.provide(postgresStore({ url: restored }))
      )
      const [events, head] = yield* read
      assert.deepStrictEqual(
        events.map(({ stream }) => stream),
        ["D000001", "D000002", "D000003"]
      )
      assert.strictEqual(head, events.at(-1)!.position)
    })
  })
}
