/**
 * The stores in memory: the reference for adapters.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { Lease, LeaseStore } from "../spi/LeaseStore.ts"
import type {
  Commit,
  DeploymentRow,
  Encoded,
  EnvironmentRow,
  EventRow,
  EventRowQuery,
  ExecutionRow,
  ExecutionRowQuery,
  AppendOutcome
} from "./Encoded.ts"
import { layerEncoded } from "./layerEncoded.ts"
import { makeMemoryOutbox } from "./MemoryOutbox.ts"

const among = (values: ReadonlyArray<string> | undefined, value: string) =>
  values === undefined || values.includes(value)

const eventMatches = (query: EventRowQuery) => {
  const text = query.text?.toLowerCase()
  return (row: EventRow) =>
    row.position > query.after &&
    (query.stream === undefined || row.stream === query.stream) &&
    (query.deploymentId === undefined || row.deploymentId === query.deploymentId) &&
    (query.environment === undefined || row.environment === query.environment) &&
    among(query.tags, row.tag) &&
    (query.since === undefined || row.at >= query.since) &&
    (query.until === undefined || row.at <= query.until) &&
    (text === undefined || row.body.toLowerCase().includes(text))
}

const latestFirst = (left: Pick<ExecutionRow, "requestedAt" | "stream">, right: typeof left) =>
  right.requestedAt - left.requestedAt || (left.stream < right.stream ? 1 : left.stream > right.stream ? -1 : 0)

const executionMatches = (query: ExecutionRowQuery) => (row: ExecutionRow) =>
  (query.deploymentId === undefined || row.deploymentId === query.deploymentId) &&
  (query.environment === undefined || row.environment === query.environment) &&
  among(query.statuses, row.status) &&
  among(query.kinds, row.kind) &&
  (query.finished === undefined || row.finished === query.finished) &&
  (query.since === undefined || row.requestedAt >= query.since) &&
  (query.until === undefined || row.requestedAt <= query.until) &&
  (query.text === undefined || row.search.includes(query.text)) &&
  (query.before === undefined || latestFirst(query.before, row) < 0)

const key = (deploymentId: string, environment: string) => `${deploymentId}/${environment}`

/**
 * Creates an encoded store in memory. Both contracts share one database, so that an append can check a lease.
 */
export const makeMemory = (): Encoded => {
  let position = 0
  let log: Array<EventRow> = []
  const streams = new Map<string, Array<EventRow>>()
  const executions = new Map<string, ExecutionRow>()
  const environments = new Map<string, EnvironmentRow>()
  const deployments = new Map<string, DeploymentRow>()
  const leases = new Map<string, Lease>()
  const outbox = makeMemoryOutbox((guard, now) => isHeld(guard, now))

  const isHeld = (guard: Lease, now: number) => {
    const present = leases.get(guard.key)
    return present?.fence === guard.fence && present.holder === guard.holder && present.expiresAt > now
  }

  const commit = (write: Commit, now: number): AppendOutcome => {
    const guard = write.guards.find((lease) => !isHeld(lease, now))
    if (guard !== undefined) return { _tag: "Lost", guard }
    if (write.events.length === 0) return { _tag: "Committed", positions: [] }
    const stream = streams.get(write.stream) ?? []
    const { deployment, environment, execution } = write
    const version =
      environment && (environments.get(key(environment.deploymentId, environment.environment))?.version ?? 0)
    if (stream.length !== write.base || (environment !== undefined && version !== environment.version - 1)) {
      return { _tag: "Stale" }
    }
    const rows = write.events.map((row): EventRow => ({ ...row, position: ++position }))
    stream.push(...rows)
    streams.set(write.stream, stream)
    log.push(...rows)
    if (execution !== undefined) executions.set(write.stream, execution)
    if (environment !== undefined) {
      environments.set(key(environment.deploymentId, environment.environment), environment)
    }
    if (deployment !== undefined) deployments.set(write.stream, deployment)
    if (write.owed !== undefined) outbox.owe(write.stream, write.owed)
    return { _tag: "Committed", positions: rows.map((row) => row.position) }
  }

  return {
    outbox: outbox.encoded,
    deployments: {
      head: (stream, after) =>
        Effect.sync(() => {
          const events = streams.get(stream) ?? []
          const continues = events.length >= after
          return {
            seq: events.length,
            ids: events.slice(continues ? after : 0).map(({ id }) => id),
            continues,
            execution: executions.get(stream),
            deployment: deployments.get(stream)
          }
        }),
      commit: (write) => Effect.map(Clock.currentTimeMillis, (now) => commit(write, now)),
      events: (query) =>
        Effect.sync(() =>
          (query.stream === undefined ? log : (streams.get(query.stream) ?? []))
            .filter(eventMatches(query))
            .slice(0, query.limit)
        ),
      execution: (stream) => Effect.sync(() => executions.get(stream)),
      executions: (query) =>
        Effect.sync(() =>
          [...executions.values()].filter(executionMatches(query)).sort(latestFirst).slice(0, query.limit)
        ),
      deployment: (id) => Effect.sync(() => deployments.get(id)),
      deployments: Effect.sync(() => [...deployments.values()]),
      environment: (id, environment) => Effect.sync(() => environments.get(key(id, environment))),
      environments: (id) =>
        Effect.sync(() => [...environments.values()].filter(({ deploymentId }) => deploymentId === id)),
      newest: Effect.sync(() => position),
      pulses: Stream.concat(Stream.succeed(undefined), Stream.never),
      prune: (before, limit) =>
        Effect.sync(() => {
          const gone = [...executions.values()]
            .filter(
              (row) => row.finished && row.requestedAt < before && !outbox.keeps(row.stream, row.requestedAt, before)
            )
            .sort(latestFirst)
            .slice(-limit)
          for (const { stream } of gone) {
            executions.delete(stream)
            streams.delete(stream)
            outbox.forget(stream)
          }
          log = log.filter(({ stream }) => streams.has(stream))
          return gone.length
        })
    },
    leases: {
      get: (name) => Effect.map(Clock.currentTimeMillis, (now) => ({ lease: leases.get(name), now })),
      list: Effect.map(Clock.currentTimeMillis, (now) => ({ leases: [...leases.values()], now })),
      swap: (before, after) =>
        Effect.sync(() => {
          const present = leases.get(after.key)
          if (present?.fence !== before?.fence || present?.expiresAt !== before?.expiresAt) return false
          leases.set(after.key, after)
          return true
        })
    }
  }
}

/**
 * Both stores in the memory of this process, on the Effect clock. Nothing survives the layer.
 */
export const layerMemory: Layer.Layer<DeploymentStore | LeaseStore> = layerEncoded(Effect.sync(makeMemory))
