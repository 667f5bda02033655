/**
 * The typed store over an encoded one.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { EncodedDeploymentStore, EncodedOutbox } from "./Encoded.ts"
import { Generation } from "./Generation.ts"
import { makeAppend } from "./internal/append.ts"
import { makeChanges } from "./internal/changes.ts"
import { all, decodeEvent, makeCodec, optionally } from "./internal/Codec.ts"
import * as Cursor from "./internal/Cursor.ts"
import { makeOutbox } from "./Outbox.ts"

const within = (limit: number | undefined, most: number, usual: number): number =>
  Math.min(Math.max(Math.trunc(limit ?? usual), 1), most)

const pruneBatch = 50

/**
 * Creates a `DeploymentStore` from an encoded one: schemas, folding, retries, pages and pulses.
 *
 * *Details*: it caches the states of recently used streams, and trusts them only if the database still has them, so
 * that an append usually reads nothing. Appends to one stream wait for each other; `append` takes at most 1,000 events.
 * `changes` pulses once when it is ready: a read after that pulse misses nothing.
 */
export const makeDeploymentStore = (
  encoded: EncodedDeploymentStore,
  outbox?: EncodedOutbox
): Effect.Effect<DeploymentStore["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const generation = yield* Generation
    const codec = makeCodec(generation)
    const { changes, pulse } = yield* makeChanges(encoded.pulses)
    const { append, stream } = makeAppend(encoded, codec, generation, pulse)
    return DeploymentStore.of({
      append,
      stream,
      events: (query) =>
        Effect.flatMap(
          encoded.events({
            stream: query.stream,
            deploymentId: query.deploymentId,
            environment: query.environment,
            tags: query.tags,
            // The text is searched in JSON, where it may be escaped.
            text: query.text === undefined ? undefined : JSON.stringify(query.text).slice(1, -1),
            since: query.since,
            until: query.until,
            after: query.after ?? 0,
            limit: within(query.limit, 10_000, 1_000)
          }),
          (rows) => all(rows, decodeEvent)
        ),
      execution: (id) => Effect.flatMap(encoded.execution(id), (row) => optionally(row, codec.execution)),
      executions: Effect.fnUntraced(function* (query) {
        const limit = within(query.limit, 1_000, 50)
        const rows = yield* encoded.executions({
          deploymentId: query.deploymentId,
          environment: query.environment,
          statuses: query.statuses,
          kinds: query.kinds,
          finished: query.finished,
          text: query.text?.toLowerCase(),
          since: query.since,
          until: query.until,
          before: yield* Cursor.parse(query.cursor),
          limit: limit + 1
        })
        const items = yield* all(rows.slice(0, limit), codec.execution)
        const last = rows[limit - 1]
        return rows.length > limit && last !== undefined ? { items, next: Cursor.format(last) } : { items }
      }),
      deployment: (id) => Effect.flatMap(encoded.deployment(id), (row) => optionally(row, codec.deployment)),
      deployments: Effect.flatMap(encoded.deployments, (rows) => all(rows, codec.deployment)),
      environment: (id, environment) =>
        Effect.flatMap(encoded.environment(id, environment), (row) => optionally(row, codec.environment)),
      environments: (id) => Effect.flatMap(encoded.environments(id), (rows) => all(rows, codec.environment)),
      head: encoded.newest,
      changes,
      outbox: makeOutbox(outbox, pulse),
      prune: Effect.fnUntraced(function* (before) {
        let taken = 0
        for (;;) {
          const batch = yield* encoded.prune(before, pruneBatch)
          taken += batch
          if (batch < pruneBatch) return taken
        }
      })
    })
  })
