import type { StoreError } from "@signalbox/core/spi"
import { type Encoded, makeMemory } from "@signalbox/core/store"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

/**
 * An encoded store that is opened when it exists, or at the first write. Until then reads find nothing, and nothing is
 * created.
 */
export const whenThere = (isThere: Effect.Effect<boolean>, open: Effect.Effect<Encoded, StoreError>): Encoded => {
  const nothing = Effect.succeed(makeMemory())
  const readable = Effect.flatMap(isThere, (there) => (there ? open : nothing))
  const read = <A, E>(f: (encoded: Encoded) => Effect.Effect<A, E>): Effect.Effect<A, E | StoreError> =>
    Effect.flatMap(readable, f)
  const write = <A, E>(f: (encoded: Encoded) => Effect.Effect<A, E>): Effect.Effect<A, E | StoreError> =>
    Effect.flatMap(open, f)
  const appears = Effect.repeat(isThere, { schedule: Schedule.spaced("20 millis"), until: (there) => there })
  return {
    deployments: {
      head: (stream, after) => read(({ deployments }) => deployments.head(stream, after)),
      commit: (commit) => write(({ deployments }) => deployments.commit(commit)),
      events: (query) => read(({ deployments }) => deployments.events(query)),
      execution: (stream) => read(({ deployments }) => deployments.execution(stream)),
      executions: (query) => read(({ deployments }) => deployments.executions(query)),
      deployment: (id) => read(({ deployments }) => deployments.deployment(id)),
      deployments: read(({ deployments }) => deployments.deployments),
      environment: (id, environment) => read(({ deployments }) => deployments.environment(id, environment)),
      environments: (id) => read(({ deployments }) => deployments.environments(id)),
      newest: read(({ deployments }) => deployments.newest),
      pulses: Stream.unwrap(
        Effect.map(isThere, (there) =>
          there
            ? pulsesOf(open)
            : Stream.concat(Stream.succeed<void>(undefined), Stream.unwrap(Effect.as(appears, pulsesOf(open))))
        )
      ),
      prune: (before, limit) => read(({ deployments }) => deployments.prune(before, limit))
    },
    leases: {
      get: (key) => read(({ leases }) => leases.get(key)),
      list: read(({ leases }) => leases.list),
      swap: (before, after) => write(({ leases }) => leases.swap(before, after))
    },
    outbox: {
      owed: (query) => read(({ outbox }) => outbox!.owed(query)),
      mark: (stream) => read(({ outbox }) => outbox!.mark(stream)),
      due: (query) => read(({ outbox }) => outbox!.due(query)),
      deliveries: (query) => read(({ outbox }) => outbox!.deliveries(query)),
      commit: (commit) => write(({ outbox }) => outbox!.commit(commit))
    }
  }
}

const pulsesOf = (open: Effect.Effect<Encoded, StoreError>) =>
  Stream.unwrap(Effect.map(open, ({ deployments }) => deployments.pulses))
