/**
 * Measures on history how well estimates hold: each execution is estimated from its predecessors.
 */
import { coverage, type Estimate, type Scope } from "./Estimate.ts"
import * as Execution from "./EstimateExecution.ts"
import type * as Path from "./EstimatePath.ts"
import * as Run from "./EstimateRun.ts"

/**
 * When an execution is estimated: at its start, and once a quarter, half and three quarters of the time expected at its
 * start have gone by.
 *
 * *Details*: not fractions of the actual duration, which is unknown at that moment: choosing the moment by the outcome
 * changes the promised share. An execution that is over by then is not estimated.
 */
export const moments = [0, 0.25, 0.5, 0.75] as const

/** One estimate and its outcome. */
export interface Checked {
  readonly correlationId: string
  readonly moment: number
  readonly estimate: Estimate
  readonly actual: number
  /** The remaining time by the mean of all earlier executions of the same kind there; null before there was one. */
  readonly naive: number | null
}

/**
 * How well many estimates held. Times are in milliseconds.
 *
 * *Details*: `n` of them had an interval from history, and `covered` of these held. `error` is the median distance of
 * the value, `naive` the one of the mean of all earlier executions, on the same occasions.
 */
export interface Tally {
  readonly n: number
  readonly covered: number
  readonly share: number | null
  readonly error: number | null
  readonly naive: number | null
  readonly width: number | null
}

/**
 * The calibration of all estimates, and of some.
 *
 * *Details*: `few`, `none` and `exceeded` count those without an interval from history.
 */
export interface Calibration extends Tally {
  readonly executions: number
  readonly coverage: number
  readonly few: number
  readonly none: number
  readonly exceeded: number
  readonly byMoment: ReadonlyArray<Tally & { readonly moment: number }>
  readonly byScope: ReadonlyArray<Tally & { readonly scope: Scope }>
  readonly byHistory: ReadonlyArray<Tally & { readonly from: number; readonly to: number }>
}

const median = (values: ReadonlyArray<number>): number | null => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  return sorted.length === 0 ? null : (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

const tally = (all: ReadonlyArray<Checked>): Tally => {
  const known = all.filter(({ estimate }) => estimate.basis === "history")
  const covered = known.filter(({ actual, estimate }) => actual >= estimate.low! && actual <= estimate.high!).length
  const compared = known.filter(({ naive }) => naive !== null)
  return {
    n: known.length,
    covered,
    share: known.length === 0 ? null : covered / known.length,
    error: median(compared.map(({ actual, estimate }) => Math.abs(actual - estimate.point!))),
    naive: median(compared.map(({ actual, naive }) => Math.abs(actual - naive!))),
    width: median(known.map(({ estimate }) => estimate.high! - estimate.low!))
  }
}

/** What would have been read: executions of the same kind, and others only if few of these did the same work. */
const pastOf = (run: Run.Run, over: ReadonlyArray<Execution.MeasuredStages>): Execution.Past => {
  const own = over.filter(({ deploymentId }) => deploymentId === run.deploymentId)
  const same = own.filter(({ kind }) => kind === run.kind).slice(-Execution.reach)
  const past = Execution.pastOf(same)
  return Execution.isEnough(run, past)
    ? past
    : Execution.pastOf([...new Set([...same, ...own.slice(-Execution.reach), ...over.slice(-Execution.reach)])])
}

/**
 * Goes through history in order, and estimates each execution from executions that were over when it started. It yields one
 * at a time, so that other fibers can run in between.
 */
export function* checking(
  runs: ReadonlyArray<Run.Run>,
  planOf: (run: Run.Run) => Path.Plan | undefined = () => undefined
): Generator<ReadonlyArray<Checked>> {
  const ended = runs.filter((run) => run.endedAt !== undefined).map(Execution.measure)
  const byEnd = ended.toSorted((left, right) => left.endedAt! - right.endedAt!)
  for (const run of ended.toSorted((left, right) => left.startedAt - right.startedAt)) {
    const over = byEnd.filter((one) => one !== run && one.endedAt! <= run.startedAt)
    const remaining = (elapsedMs: number) => {
      const known = Run.cut(run, elapsedMs)
      return Execution.remaining(known, pastOf(known, over), planOf(run))
    }
    const alike = over.filter(
      (one) => one.deploymentId === run.deploymentId && one.environment === run.environment && one.kind === run.kind
    )
    const mean = alike.length === 0 ? null : alike.reduce((sum, one) => sum + one.elapsedMs, 0) / alike.length
    const first = remaining(0)
    yield moments.flatMap((moment): ReadonlyArray<Checked> => {
      const elapsed = moment === 0 ? 0 : first.point === null ? undefined : Math.round(moment * first.point)
      if (elapsed === undefined || (moment > 0 && elapsed >= run.elapsedMs)) return []
      return [
        {
          correlationId: run.correlationId,
          moment,
          estimate: moment === 0 ? first : remaining(elapsed),
          actual: run.elapsedMs - elapsed,
          naive: mean === null ? null : Math.max(0, mean - elapsed)
        }
      ]
    })
  }
}

/** All of it at once. */
export const check = (
  runs: ReadonlyArray<Run.Run>,
  planOf?: (run: Run.Run) => Path.Plan | undefined
): ReadonlyArray<Checked> => [...checking(runs, planOf)].flat()

const groups = <Key>(
  all: ReadonlyArray<Checked>,
  keyOf: (checked: Checked) => Key
): ReadonlyArray<readonly [Key, Tally]> =>
  [...new Set(all.map(keyOf))].map((key) => [key, tally(all.filter((one) => keyOf(one) === key))] as const)

const sizes = [9, 13, 20, 31] as const
const sizeOf = (n: number): number => sizes.findLast((size) => n >= size) ?? 1

/**
 * The share of the intervals that held, and how far the values were off.
 */
export const calibrate = (checked: ReadonlyArray<Checked>): Calibration => {
  const counted = (basis: Estimate["basis"]) => checked.filter(({ estimate }) => estimate.basis === basis).length
  const known = checked.filter(({ estimate }) => estimate.basis === "history")
  return {
    ...tally(checked),
    executions: new Set(checked.map(({ correlationId }) => correlationId)).size,
    coverage,
    few: counted("few"),
    none: counted("none"),
    exceeded: counted("exceeded"),
    byMoment: groups(known, ({ moment }) => moment).map(([moment, group]) => ({ moment, ...group })),
    byScope: groups(known, ({ estimate }) => estimate.scope).map(([scope, group]) => ({ scope, ...group })),
    byHistory: groups(known, ({ estimate }) => sizeOf(estimate.n))
      .toSorted(([left], [right]) => left - right)
      .map(([from, group]) => ({ from, to: (sizes.find((size) => size > from) ?? 41) - 1, ...group }))
  }
}
