/** The queries that every deployment store answers, as tests; part of `DeploymentStoreSuite`. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { type CorrelationId, DeploymentId, EnvironmentName, type Execution } from "../../domain/index.ts"
import { DeploymentStore, type ExecutionQuery } from "../../spi/index.ts"
import { correlationId, initialized, moved, place, requested, step } from "./storeHistories.ts"
import type { Both } from "./storeSuiteStores.ts"

const idsOf = (states: ReadonlyArray<Execution.ExecutionState>) => states.map((state) => state.correlationId as string)

const pages = (query: ExecutionQuery) =>
  Effect.gen(function* () {
    const store = yield* DeploymentStore
    const found: Array<string> = []
    let cursor: string | undefined
    do {
      const page = yield* store.executions({ ...query, ...(cursor === undefined ? {} : { cursor }) })
      assert.isAtMost(page.items.length, query.limit ?? 50)
      found.push(...idsOf(page.items))
      cursor = page.next
    } while (cursor !== undefined)
    return found
  })

type Id = CorrelationId

/** Six executions of one deployment that differ in every field of a query, in the order of their requests. */
const six = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const where = yield* place
  const staging = { ...where, environment: EnvironmentName.make("staging") }
  const ids = yield* Effect.replicateEffect(correlationId, 6)
  const [a, b, c, d, e, f] = ids as unknown as readonly [Id, Id, Id, Id, Id, Id]
  const ask = (
    stream: Id,
    at: number,
    more: Parameters<typeof requested>[3],
    ends: ReadonlyArray<Parameters<typeof moved>[0]>
  ) =>
    store.append({
      stream,
      events: [requested(where, stream, at, more), ...ends.map((on, index) => moved(on, at + 1 + index))]
    })
  yield* ask(a, 10_000, { version: "1.0.0-Beta" }, ["started", "completed"])
  yield* ask(b, 20_000, { kind: "rollback", by: "Ada" }, ["started", "failed"])
  yield* ask(c, 20_000, { ...staging, reason: "50%_off \\ ÄÖ" }, ["started"])
  yield* ask(d, 30_000, { ...staging, kind: "destroy" }, [])
  yield* ask(e, 40_000, {}, ["started", "paused"])
  yield* ask(f, 50_000, { version: "2.0.0" }, ["started", "rollback_started", "rolled_back"])
  return { store, where, staging, a, b, c, d, e, f, tie: [b, c].sort().reverse() }
})

export const tests: ReadonlyArray<Both> = [
  [
    "finds executions by every filter, latest first",
    Effect.gen(function* () {
      const { a, b, c, d, e, f, staging, tie, where } = yield* six
      const { deploymentId } = where
      const rows: ReadonlyArray<readonly [ExecutionQuery, ReadonlyArray<string>]> = [
        [{}, [f, e, d, ...tie, a]],
        [{ environment: staging.environment }, [d, c]],
        [{ environment: where.environment, finished: true }, [f, b, a]],
        [{ statuses: ["completed"] }, [a]],
        [{ statuses: ["queued", "paused"] }, [e, d]],
        [{ statuses: [] }, []],
        [{ kinds: ["rollback", "destroy"] }, [d, b]],
        [{ kinds: ["deploy"], statuses: ["paused", "completed"] }, [e, a]],
        [{ finished: false }, [e, d, c]],
        [{ finished: true }, [f, b, a]],
        [{ text: "1.0.0-BETA" }, [a]],
        [{ text: "ada" }, [b]],
        [{ text: "0%_OFF \\ äö" }, [c]],
        [{ text: "%" }, [c]],
        [{ text: "_" }, [c]],
        [{ text: e.toUpperCase() }, [e]],
        [{ text: "nowhere" }, []],
        [{ since: 30_000 }, [f, e, d]],
        [{ until: 20_000 }, [...tie, a]],
        [{ since: 20_000, until: 30_000, finished: false }, [d, c]]
      ]
      for (const [query, expected] of rows) {
        for (const limit of [50, 1, 2]) {
          assert.deepStrictEqual(yield* pages({ ...query, deploymentId, limit }), expected, JSON.stringify(query))
        }
      }
      assert.deepStrictEqual(yield* pages({ deploymentId: DeploymentId.make("D000000") }), [])
      const everywhere = yield* pages({ environment: staging.environment, limit: 3 })
      assert.deepStrictEqual(
        everywhere.filter((id) => id === c || id === d),
        [d, c]
      )
    })
  ],
  [
    "pages through executions without loss or repeat while new ones arrive",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const where = yield* place
      const add = (count: number) =>
        Effect.replicateEffect(
          Effect.gen(function* () {
            const stream = yield* correlationId
            const at = yield* Random.nextIntBetween(1_000_000, 1_000_005)
            yield* store.append({ stream, events: [requested(where, stream, at)] })
            return stream as string
          }),
          count
        )
      const before = yield* add(23)
      const found: Array<string> = []
      let cursor: string | undefined
      do {
        const page = yield* store.executions({
          deploymentId: where.deploymentId,
          limit: 5,
          ...(cursor === undefined ? {} : { cursor })
        })
        found.push(...idsOf(page.items))
        cursor = page.next
        yield* add(2)
      } while (cursor !== undefined)
      assert.strictEqual(new Set(found).size, found.length)
      for (const id of before) assert.include(found, id)
    })
  ],
  [
    "refuses a cursor that it did not give",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      for (const cursor of ["", "x", "~", "é~a", "zzzzzzzzzzzzzzzzzzzzzzz~a"]) {
        assert.strictEqual((yield* Effect.flip(store.executions({ cursor })))._tag, "StoreError")
      }
    })
  ],
  [
    "finds events by every filter, oldest first",
    Effect.gen(function* () {
      const { a, c, e, f, staging, store, where } = yield* six
      const { deploymentId } = where
      const said = yield* store.append({
        stream: e,
        events: [
          {
            id: "said",
            at: 60_000,
            event: { _tag: "CommandIssued", command: "abort", by: "suite", reason: `"100%_" \\d\n` }
          }
        ]
      })
      const find = (query: Parameters<typeof store.events>[0]) =>
        Effect.map(store.events({ deploymentId, ...query }), (events) =>
          events.map(({ id, stream }) => `${stream} ${id}`)
        )
      assert.deepStrictEqual(yield* find({ stream: a }), [`${a} requested`, `${a} started`, `${a} completed`])
      assert.deepStrictEqual(yield* find({ environment: staging.environment, tags: ["ExecutionTransitioned"] }), [
        `${c} started`
      ])
      assert.deepStrictEqual(yield* find({ tags: [] }), [])
      assert.deepStrictEqual(yield* find({ tags: ["CommandIssued", "VerdictReached"] }), [`${e} said`])
      for (const text of [`"100%_"`, "\\D\n", "commandISSUED", "%_"]) {
        assert.deepStrictEqual(yield* find({ text, tags: ["CommandIssued"] }), [`${e} said`], text)
      }
      assert.deepStrictEqual(yield* find({ text: "_%" }), [])
      assert.deepStrictEqual(yield* find({ since: 50_002 }), [`${f} rollback_started`, `${f} rolled_back`, `${e} said`])
      assert.deepStrictEqual(yield* find({ since: 10_001, until: 10_002 }), [`${a} started`, `${a} completed`])
      assert.deepStrictEqual(yield* find({ stream: e, after: said[0]!.position }), [])
      assert.deepStrictEqual(yield* find({ stream: e, after: said[0]!.position - 1 }), [`${e} said`])
      assert.deepStrictEqual(yield* store.events({ stream: "nowhere" }), [])
      assert.deepStrictEqual(yield* store.events({ stream: a, deploymentId: DeploymentId.make("D000000") }), [])
    })
  ],
  [
    "reads events in pages by position, of one stream and of all",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const where = yield* place
      const stream = yield* correlationId
      yield* store.append({ stream, events: [requested(where, stream, 1_000)] })
      yield* store.append({ stream, events: Array.from({ length: 250 }, (_, n) => step(`${n}`, 2_000)) })
      for (const scope of [{ stream }, { deploymentId: where.deploymentId }]) {
        const seqs: Array<number> = []
        let after = 0
        for (;;) {
          const page = yield* store.events({ ...scope, after, limit: 40 })
          seqs.push(...page.map(({ seq }) => seq))
          if (page.length < 40) break
          after = page.at(-1)!.position
        }
        assert.deepStrictEqual(
          seqs,
          Array.from({ length: 251 }, (_, index) => index + 1)
        )
      }
      const all = yield* store.events({ deploymentId: where.deploymentId, limit: 1 })
      assert.strictEqual(all.length, 1)
    })
  ],
  [
    "keeps deployments and environments",
    Effect.gen(function* () {
      const { staging, store, where } = yield* six
      assert.strictEqual(yield* store.deployment(where.deploymentId), undefined)
      yield* store.append({ stream: where.deploymentId, expected: 0, events: [initialized(where, 5_000)] })
      const deployment = yield* store.deployment(where.deploymentId)
      assert.deepInclude(deployment, { organization: "acme", project: "shop", createdAt: 5_000 })
      const later = yield* place
      yield* store.append({ stream: later.deploymentId, events: [initialized(later, 6_000)] })
      const own = (yield* store.deployments)
        .map(({ deploymentId }) => deploymentId)
        .filter((id) => id === where.deploymentId || id === later.deploymentId)
      assert.deepStrictEqual(own, [where.deploymentId, later.deploymentId])
      const environments = yield* store.environments(where.deploymentId)
      assert.deepStrictEqual(
        environments.map(({ environment }) => environment),
        [where.environment, staging.environment]
      )
      assert.deepStrictEqual(yield* store.environment(where.deploymentId, staging.environment), environments[1])
      assert.deepStrictEqual(yield* store.environments(DeploymentId.make("D000000")), [])
    })
  ],
  [
    "prunes what was finished and asked for before, and nothing else",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const where = yield* place
      const running = yield* correlationId
      yield* store.append({ stream: running, events: [requested(where, running, 100), moved("started", 101)] })
      const recent = yield* correlationId
      yield* store.append({
        stream: recent,
        events: [requested(where, recent, 200), moved("started", 201), moved("completed", 202)]
      })
      const old = yield* Effect.replicateEffect(correlationId, 120)
      for (const stream of old) {
        yield* store.append({
          stream,
          events: [requested(where, stream, 100), moved("started", 101), moved("completed", 102)]
        })
      }
      const environment = yield* store.environment(where.deploymentId, where.environment)
      const head = yield* store.head
      assert.strictEqual(yield* store.prune(200), old.length)
      assert.strictEqual(yield* store.prune(200), 0)
      assert.strictEqual(yield* store.execution(old[0]!), undefined)
      assert.deepStrictEqual(yield* store.events({ stream: old[0]! }), [])
      assert.deepStrictEqual(
        new Set(idsOf((yield* store.executions({ deploymentId: where.deploymentId })).items)),
        new Set<string>([running, recent])
      )
      assert.strictEqual((yield* store.events({ deploymentId: where.deploymentId })).length, 5)
      assert.deepStrictEqual(yield* store.environment(where.deploymentId, where.environment), environment)
      const [next] = yield* store.append({ stream: running, events: [step("after", 300)] })
      assert.isAbove(next!.position, head)
      const again = yield* store.append({ stream: old[0]!, expected: 0, events: [requested(where, old[0]!, 400)] })
      assert.deepStrictEqual(
        again.map(({ seq }) => seq),
        [1]
      )
      yield* store.append({ stream: running, events: [moved("failed", 301)] })
    })
  ]
]
