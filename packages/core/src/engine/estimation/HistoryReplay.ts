/**
 * HistoryReplay: replays past executions from the store, with a gate or strategy that is validated first.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Replay from "../../analysis/Replay.ts"
import type { StoredEvent } from "../../domain/Event.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { StrategySpec } from "../../domain/Spec.ts"
import { DeploymentStore, type EventQuery } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { ConfigurationInvalid, type ConfigurationIssue } from "../../config/ConfigurationIssue.ts"
import { toPlain } from "../../config/PlainValue.ts"
import * as Shape from "../../config/ManifestShape.ts"
import { isObject } from "../../config/ShapeWalk.ts"
import { type Rejected, unknownExecution } from "../../api/Rejected.ts"

const checked = <A>(
  [first, ...others]: ReadonlyArray<ConfigurationIssue>,
  value: () => A
): Result.Result<A, ConfigurationInvalid> =>
  first === undefined ? Result.succeed(value()) : Result.fail(new ConfigurationInvalid({ issues: [first, ...others] }))

/**
 * Validates the changes of a gate: its own keys, as in a configuration, and `compare: null`.
 *
 * *Errors*: `ConfigurationInvalid` with all mistakes.
 */
export const checkGate = (value: unknown): Result.Result<Replay.GateChange, ConfigurationInvalid> => {
  const plain = toPlain(value)
  const given = plain.value
  const { compare, ...rest } = isObject(given) ? given : { compare: undefined }
  const looked = isObject(given) && compare === null ? rest : given
  return checked([...plain.issues, ...Shape.gate(looked, [])], () => given as Replay.GateChange)
}

const decodeStrategy = Schema.decodeUnknownSync(StrategySpec)

/**
 * Validates a strategy as in a configuration, or takes the name of one with its defaults.
 *
 * *Errors*: `ConfigurationInvalid` with all mistakes.
 */
export const checkStrategy = (value: unknown): Result.Result<StrategySpec, ConfigurationInvalid> => {
  const plain = toPlain(typeof value === "string" ? { type: value } : value)
  return checked([...plain.issues, ...Shape.strategy(plain.value, [])], () => decodeStrategy(plain.value))
}

/**
 * All events of an execution, or only events with some tags, without a limit.
 *
 * *Errors*: `StoreError`.
 */
export const readAll = Effect.fnUntraced(function* (
  id: CorrelationId,
  query: Pick<EventQuery, "tags"> = {}
): Effect.fn.Return<ReadonlyArray<StoredEvent>, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const all: Array<StoredEvent> = []
  while (true) {
    const after = all.at(-1)?.position
    const page = yield* store.events({ ...query, stream: id, limit: 10_000, ...(after === undefined ? {} : { after }) })
    all.push(...page)
    if (page.length < 10_000) return all
  }
})

/**
 * Replays one execution; see `Replay.replay`. Read-only.
 *
 * *Errors*: `Rejected` (`not_found`), `StoreError`.
 */
export const replay = Effect.fnUntraced(function* (
  id: CorrelationId,
  change: Replay.Change = {}
): Effect.fn.Return<Replay.Replayed, Rejected | StoreError, DeploymentStore> {
  const replayed = Replay.replay(yield* readAll(id), change)
  return replayed ?? (yield* unknownExecution(id))
})
