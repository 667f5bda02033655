/** The stores as one simulated process sees them: over the network, with the database at the other end. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { StoreError } from "../../../spi/StoreError.ts"
import type { Encoded } from "../../../store/Encoded.ts"
import type { Log } from "../invariants/Log.ts"
import type { Network } from "./Network.ts"
import type { Process, World } from "./World.ts"

const unavailable = (operation: string, detail: string) => new StoreError({ operation, reason: "Unavailable", detail })

/** The database, and its subscribers. */
export class Database {
  readonly encoded: Encoded
  readonly #world: World
  readonly #feeds = new Map<Process, Queue.Queue<boolean>>()
  readonly #network: Network

  constructor(world: World, network: Network, encoded: Encoded) {
    this.#world = world
    this.#network = network
    this.encoded = encoded
  }

  feed(process: Process, queue: Queue.Queue<boolean>): void {
    this.#feeds.set(process, queue)
  }

  /** Notifies the other processes; dead ones are forgotten. */
  news(writer: Process): void {
    for (const [process, queue] of this.#feeds) {
      if (process.state === "dead") this.#feeds.delete(process)
      else if (process !== writer) {
        // If the store is unavailable, the feed breaks instead, and is read again from the beginning.
        const broken = this.#network.is("store_down", process)
        this.#world.after(this.#network.feed(process), process, () => {
          Queue.offerUnsafe(queue, !broken)
        })
      }
    }
  }
}

/** The store of one process: each call is a message to the database and its answer. */
export const connect = (
  world: World,
  network: Network,
  database: Database,
  log: Log,
  process: Process
): Effect.Effect<Encoded> =>
  Effect.gen(function* () {
    const { deployments, leases } = database.encoded
    const feed = yield* Queue.sliding<boolean>(8)
    database.feed(process, feed)
    const serve = Effect.runSyncExitWith(process.context)

    const call = <A>(
      operation: string,
      effect: Effect.Effect<A, StoreError>,
      done: (value: A) => void = () => {}
    ): Effect.Effect<A, StoreError> =>
      Effect.callback<A, StoreError>((resume) => {
        const passage = network.toStore(process)
        const fail = (millis: number, detail: string) =>
          void world.after(millis, process, () => resume(Effect.fail(unavailable(operation, detail))))
        if (passage === undefined) return fail(20, "it cannot be reached")
        const arrive = () => {
          const exit: Exit.Exit<A, StoreError> = serve(effect)
          if (exit._tag === "Success") done(exit.value)
          if (passage.lost) return fail(300, "the connection was cut")
          world.after(passage.back, process, () => resume(exit))
        }
        if (passage.out === 0) arrive()
        else world.after(passage.out, undefined, arrive)
      })

    return {
      deployments: {
        head: (stream, after) => call("head", deployments.head(stream, after)),
        commit: (write) =>
          call("commit", deployments.commit(write), (outcome) => {
            if (outcome._tag !== "Committed" || write.events.length === 0) return
            log.committed(process, write, outcome.positions)
            database.news(process)
          }),
        events: (query) => call("events", deployments.events(query)),
        execution: (stream) => call("execution", deployments.execution(stream)),
        executions: (query) => call("executions", deployments.executions(query)),
        deployment: (id) => call("deployment", deployments.deployment(id)),
        deployments: call("deployments", deployments.deployments),
        environment: (id, environment) => call("environment", deployments.environment(id, environment)),
        environments: (id) => call("environments", deployments.environments(id)),
        newest: call("newest", deployments.newest),
        pulses: Stream.concat(
          Stream.succeed(undefined),
          Stream.mapEffect(Stream.fromQueue(feed), (fine) =>
            fine ? Effect.void : Effect.fail(unavailable("pulses", "the feed broke off"))
          )
        ),
        prune: (before, limit) => call("prune", deployments.prune(before, limit))
      },
      leases: {
        get: (key) => call("lease", leases.get(key)),
        list: call("leases", leases.list),
        swap: (before, after) =>
          call("swap", leases.swap(before, after), (done) => {
            if (done) log.swapped(process, after)
          })
      }
    }
  })
