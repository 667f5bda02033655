/**
 * How long an execution will still take, from the history in the store.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { enough, type Estimate, together } from "../../analysis/Estimate.ts"
import * as Calibration from "../../analysis/EstimateCalibration.ts"
import * as Estimation from "../../analysis/EstimateExecution.ts"
import type { Plan } from "../../analysis/EstimatePath.ts"
import * as Run from "../../analysis/EstimateRun.ts"
import { samplesOf } from "../../analysis/EstimateSample.ts"
import { type ExecutionState, isFinished, isQueued } from "../../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, Timestamp } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { requestsAhead } from "../queue/index.ts"
import { currentLease } from "../lease/index.ts"
import { holderOf } from "../../spi/LeaseKey.ts"

const { reach } = Estimation
const lasting = 60_000

type Store = DeploymentStore["Service"]

/** `all` is true if others were read too, whatever they did. */
interface Kept {
  readonly at: Timestamp
  readonly past: Estimation.Past
  readonly all: boolean
}

/** By store, then by deployment and kind: history changes too slowly to read it at every look. */
const kept = new WeakMap<Store, Map<string, Kept>>()

const runsOf = (states: ReadonlyArray<ExecutionState>): ReadonlyArray<Run.Run> =>
  states.map((state) => Run.ofState(state, state.finishedAt ?? state.requestedAt))

/** How long a rollback took: only executions that rolled back can tell. */
const readRollbacks = Effect.fnUntraced(function* (
  store: Store,
  deploymentId: DeploymentId
): Effect.fn.Return<Omit<Kept, "at">, StoreError> {
  const own = yield* store.executions({ deploymentId, statuses: ["rolled_back"], limit: reach })
  const { items } =
    own.items.length >= enough ? own : yield* store.executions({ statuses: ["rolled_back"], limit: reach })
  return { past: { runs: [], samples: items.flatMap((state) => samplesOf(state)) }, all: true }
})

/**
 * Executions of the same kind; if few of these did the same work, also all kinds and all deployments, for their stages.
 */
const read = Effect.fnUntraced(function* (store: Store, run: Run.Run): Effect.fn.Return<Omit<Kept, "at">, StoreError> {
  const { deploymentId, kind } = run
  const same = yield* store.executions({ deploymentId, kinds: [kind], statuses: ["completed"], limit: reach })
  const past = Estimation.past(runsOf(same.items))
  if (Estimation.isEnough(run, past)) return { past, all: false }
  const own = yield* store.executions({ deploymentId, statuses: ["completed"], limit: reach })
  const all = yield* store.executions({ statuses: ["completed"], limit: reach })
  const states = [...same.items, ...own.items, ...all.items]
  const different = [...new Map(states.map((state) => [state.correlationId, state])).values()]
  return { past: Estimation.past(runsOf(different)), all: true }
})

/**
 * The past that an execution resembles, read again at most once a minute.
 *
 * *Errors*: `StoreError`.
 */
export const pastExecutions = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<Estimation.Past, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const now = yield* Clock.currentTimeMillis
  const run = Run.ofState(state, now)
  const byPlace = kept.get(store) ?? new Map<string, Kept>()
  kept.set(store, byPlace)
  const place = `${state.deploymentId}/${run.rollingBack ? state.status : state.kind}`
  const known = byPlace.get(place)
  const isFresh = known !== undefined && now >= known.at && now - known.at < lasting
  if (isFresh && (known.all || Estimation.isEnough(run, known.past))) return known.past
  const found = yield* run.rollingBack ? readRollbacks(store, state.deploymentId) : read(store, run)
  byPlace.set(place, { at: now, ...found })
  return found.past
})

/** The input of an execution from its log: the request, or what it found on admission. */
const planOf = Effect.fnUntraced(function* (
  id: CorrelationId
): Effect.fn.Return<Plan | undefined, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const events = yield* store.events({ stream: id, tags: ["ExecutionRequested", "ExecutionAdmitted"] })
  const last = events.at(-1)?.event
  return last?._tag === "ExecutionRequested" || last?._tag === "ExecutionAdmitted" ? last.spec : undefined
})

/** Those ahead of a request in its queue: the lease holder, then the earlier requests. */
const before = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<ReadonlyArray<ExecutionState>, StoreError, DeploymentStore | LeaseStore> {
  if (!isQueued(state)) return []
  const store = yield* DeploymentStore
  const lease = yield* currentLease(state.deploymentId, state.environment)
  const holder = lease === undefined ? undefined : holderOf(lease)
  if (holder === state.correlationId) return []
  const waiting = (yield* requestsAhead(state)).map(({ correlationId }) => correlationId)
  const states = yield* Effect.forEach(holder === undefined ? waiting : [holder, ...waiting], (id) =>
    store.execution(id)
  )
  return states.filter((one) => one !== undefined).filter((one) => !isFinished(one))
})

/**
 * The remaining time of an execution at a given time. Undefined if it has finished, and if it is rolling back and was
 * not when the history was read: that requires reading again.
 */
export type Estimator = (state: ExecutionState, now: Timestamp) => Estimate | undefined

/**
 * Reads what is needed to estimate one execution repeatedly while it is in progress.
 *
 * *Details*: a queued execution adds the remaining times of those ahead of it, each from the history of its own kind,
 * and its own time.
 *
 * *Errors*: `StoreError`.
 */
export const estimator = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<Estimator, StoreError, DeploymentStore | LeaseStore> {
  if (isFinished(state)) return () => undefined
  const known = (one: ExecutionState) =>
    Effect.all({ one: Effect.succeed(one), by: pastExecutions(one), plan: planOf(one.correlationId) })
  const own = yield* known(state)
  const others = yield* Effect.forEach(yield* before(state), known)
  const back = ({ status }: ExecutionState) => status === "rolling_back"
  return (current, now) => {
    if (isFinished(current) || back(current) !== back(state)) return undefined
    const all = [...(current.startedAt === undefined ? others : []), { ...own, one: current }]
    return together(all.map(({ by, one, plan }) => Estimation.remaining(Run.ofState(one, now), by, plan)))
  }
})

/**
 * The remaining time of an execution, without the time in which it waits for people; undefined if it has finished.
 *
 * *Errors*: `StoreError`.
 */
export const estimate = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<Estimate | undefined, StoreError, DeploymentStore | LeaseStore> {
  if (isFinished(state)) return undefined
  const at = yield* estimator(state)
  return at(state, yield* Clock.currentTimeMillis)
})

/**
 * Measures on history how well estimates hold: each successful execution is estimated from its predecessors.
 *
 * *Details*: of one deployment or of all, in one environment or in all; the latest `limit` executions (1–1,000, default
 * 1,000).
 *
 * *Errors*: `StoreError`.
 */
export const calibrate = Effect.fnUntraced(function* (
  query: {
    readonly deploymentId?: DeploymentId
    readonly environment?: EnvironmentName
    readonly limit?: number
  } = {}
): Effect.fn.Return<Calibration.Calibration, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { items } = yield* store.executions({ limit: 1_000, ...query, statuses: ["completed"] })
  const plans = new Map<string, Plan | undefined>()
  for (const { correlationId } of items) plans.set(correlationId, yield* planOf(correlationId))
  const checked: Array<Calibration.Checked> = []
  for (const one of Calibration.checking(runsOf(items), ({ correlationId }) => plans.get(correlationId))) {
    checked.push(...one)
    yield* Effect.yieldNow
  }
  return Calibration.calibrate(checked)
})
