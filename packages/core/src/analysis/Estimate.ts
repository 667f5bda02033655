/**
 * Estimates how long something will still take from how long it took before: a value and an interval that hold without
 * any assumption about the distribution.
 *
 * *Details*: a new duration is equally likely to fall into each of the n + 1 gaps between n earlier ones. So the r-th
 * smallest of n is exceeded with a probability of 1 − r/(n + 1), whatever the distribution, and the interval from rank
 * 0.1·(n + 1) to rank 0.9·(n + 1) covers the next one with 80 %. Nine is the smallest n that has these ranks. Elapsed
 * time is taken into account by leaving out durations that were over by then, which again gives a sample of the same
 * question.
 *
 * *Gotchas*: the past must resemble the present. Use recent durations, and only successful ones.
 *
 * *Source*: V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005 (conformal prediction).
 * The tail: J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3, 1975, with the
 * shape of an exponential.
 */
import * as Schema from "effect/Schema"
import { pick, seeded } from "./EstimateChance.ts"

/** The share of durations that an interval covers. */
export const coverage = 0.8

/** The number of durations from which on there are intervals. */
export const enough = 9

/** What estimates are based on, from the most specific to the most general. */
export const Scope = Schema.Literals(["environment", "deployment", "strategy", "provider", "stage", "all"])
export type Scope = typeof Scope.Type

/**
 * How reliable an estimate is.
 *
 * *Details*: `history` has an interval that covers 80 %. `few`: fewer than 9 values; the interval is 20 % around their
 * mean, and its coverage is unknown. `none`: no values. `exceeded`: it takes longer than all `n` before.
 */
export const Basis = Schema.Literals(["history", "few", "none", "exceeded"])
export type Basis = typeof Basis.Type

/**
 * The remaining time, in milliseconds: `point` is the median, and `low` to `high` holds with a probability of
 * `coverage`. They are null if `basis` is `none` or `exceeded`. `n` is the number of durations that it is based on.
 *
 * *Details*: if `basis` is `history`, `values` are equally likely values in order; the interval leaves out the share
 * `tail` on each side.
 */
export const Estimate = Schema.Struct({
  point: Schema.NullOr(Schema.Finite),
  low: Schema.NullOr(Schema.Finite),
  high: Schema.NullOr(Schema.Finite),
  coverage: Schema.Finite,
  n: Schema.Int,
  scope: Scope,
  basis: Basis,
  values: Schema.optionalKey(Schema.Array(Schema.Finite)),
  tail: Schema.optionalKey(Schema.Finite)
})
export type Estimate = typeof Estimate.Type

/** An estimate that says that there is none. */
export const without = (basis: "none" | "exceeded", n: number, scope: Scope): Estimate => ({
  point: null,
  low: null,
  high: null,
  coverage,
  n,
  scope,
  basis
})

/**
 * The value that a new one stays below with a probability of `p`, from sorted values: the value of rank `p`·(n + 1),
 * interpolated if the rank is not a whole number.
 *
 * *Details*: `n` is how many values were measured, if `sorted` holds more that were derived from these.
 */
export const quantile = (sorted: ReadonlyArray<number>, p: number, n = sorted.length): number => {
  const share = (p * (n + 1) - 0.5) / n
  const rank = Math.min(Math.max(share * sorted.length + 0.5, 1), sorted.length)
  const below = Math.floor(rank)
  const low = sorted[below - 1] ?? Number.NaN
  return low + (rank - below) * ((sorted[below] ?? low) - low)
}

/** An estimate from equally likely remaining times, based on `n` durations. */
export const ofValues = (
  values: ReadonlyArray<number>,
  scope: Scope,
  n = values.length,
  tail = (1 - coverage) / 2
): Estimate => {
  const sorted = values.toSorted((left, right) => left - right)
  const at = (p: number) => Math.max(0, Math.round(quantile(sorted, p, n)))
  return {
    point: at(0.5),
    low: at(tail),
    high: at(1 - tail),
    coverage,
    n,
    scope,
    basis: "history",
    values: sorted,
    tail
  }
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** 20 % around the mean of the whole duration, minus the elapsed time. */
export const aroundMean = (durations: ReadonlyArray<number>, elapsedMs: number, scope: Scope): Estimate => {
  const whole = mean(durations)
  const left = (share: number) => Math.max(0, Math.round(share * whole - elapsedMs))
  return {
    point: left(1),
    low: left(0.8),
    high: left(1.2),
    coverage,
    n: durations.length,
    scope,
    basis: "few"
  }
}

/**
 * Whether something with this duration would still be running by then. Something that has not begun is still to come,
 * whatever it takes.
 */
export const lasts = (ms: number, elapsedMs: number): boolean => elapsedMs === 0 || ms > elapsedMs

/**
 * Equally likely remaining times of something that has lasted `elapsedMs` already.
 *
 * *Details*: the remainder of the durations that lasted longer. If these are fewer than 9, the tail of the distribution is
 * assumed to be exponential, with the mean excess of the 9 longest. Empty if nothing ever lasted so long.
 */
export const leftOf = (durations: ReadonlyArray<number>, elapsedMs: number): ReadonlyArray<number> => {
  const longer = durations.filter((ms) => lasts(ms, elapsedMs)).map((ms) => ms - elapsedMs)
  if (longer.length === 0 || longer.length >= enough || durations.length <= enough) return longer
  const longest = durations.toSorted((left, right) => right - left).slice(0, enough + 1)
  const excess = mean(longest.slice(0, enough)) - longest[enough]!
  return exponential.map((share) => share * excess)
}

/**
 * Equally likely values of an exponential distribution whose mean was estimated from 9 values, as a share of that mean.
 * The uncertainty of the mean makes long values likelier.
 */
const exponential: ReadonlyArray<number> = Array.from(
  { length: 80 },
  (_, index) => enough * ((1 - (index + 0.5) / 80) ** (-1 / enough) - 1)
)

/**
 * The remaining time of something that has lasted `elapsedMs`, from whole durations of the same kind.
 */
export const remaining = (durations: ReadonlyArray<number>, elapsedMs: number, scope: Scope = "all"): Estimate => {
  if (durations.length === 0) return without("none", 0, scope)
  const longer = durations.filter((ms) => lasts(ms, elapsedMs))
  if (longer.length === 0) return without("exceeded", durations.length, scope)
  const left = leftOf(durations, elapsedMs)
  return left.length < enough ? aroundMean(longer, elapsedMs, scope) : { ...ofValues(left, scope), n: longer.length }
}

/** From the most certain to the least. */
const bases: ReadonlyArray<Basis> = ["history", "few", "exceeded", "none"]
/** From the most specific to the most general. */
export const scopes: ReadonlyArray<Scope> = ["environment", "deployment", "strategy", "provider", "stage", "all"]

const most = <A>(order: ReadonlyArray<A>, values: ReadonlyArray<A>): A =>
  order.findLast((one) => values.includes(one)) ?? order[0]!

const draws = 400

/**
 * Equally likely sums, with one value of each.
 *
 * *Details*: all of them are known from one history, which may have been lucky or unlucky for all of them alike. So
 * each is drawn as from an urn that gets each drawn ball back twice: the rank of one draw is likelier for the next, the
 * more so the smaller `n` is. Sums then vary as much as n values leave open.
 *
 * *Source*: D. Blackwell and J. MacQueen, "Ferguson distributions via Pólya urn schemes", Annals of Statistics 1, 1973.
 */
const sums = (estimates: ReadonlyArray<Estimate>): ReadonlyArray<number> => {
  const random = seeded(1)
  return Array.from({ length: draws }, () => {
    const drawn: Array<number> = []
    for (const { n } of estimates) {
      const again = random() * (n + drawn.length) >= n
      drawn.push(again ? pick(drawn, random()) : random())
    }
    return estimates.reduce((sum, { values = [] }, index) => sum + pick(values, drawn[index]!), 0)
  })
}

/**
 * The total time of several things in sequence. The weakest basis, scope and number count.
 *
 * *Details*: 400 sums are drawn. If one of them has no interval, the distances from the values to the ends are added as
 * squares, because short times of one make up for long times of another.
 */
export const together = (estimates: ReadonlyArray<Estimate>): Estimate => {
  const [first, ...others] = estimates
  if (first !== undefined && others.length === 0) return first
  const basis = most(
    bases,
    estimates.map((one) => one.basis)
  )
  const scope = most(
    scopes,
    estimates.map((one) => one.scope)
  )
  const n = Math.min(...estimates.map((one) => one.n))
  if (first === undefined) return without("none", 0, scope)
  if (basis === "none" || basis === "exceeded") return without(basis, n, scope)
  if (basis === "history") {
    const tail = mean(estimates.map((one) => one.tail!))
    return { ...ofValues(sums(estimates), scope, Math.max(n, enough), tail), n }
  }
  const point = estimates.reduce((sum, one) => sum + one.point!, 0)
  const reach = (of: (one: Estimate) => number) => Math.round(Math.hypot(...estimates.map(of)))
  return {
    point,
    low: Math.max(0, point - reach((one) => one.point! - one.low!)),
    high: point + reach((one) => one.high! - one.point!),
    coverage,
    n,
    scope,
    basis
  }
}

/** From `threshold` milliseconds on, a duration is unusual, by `n` earlier durations. */
export interface Unusual {
  readonly threshold: number
  readonly n: number
}

/** The number of durations from which on one can say that only one of twenty lasts longer. */
export const enoughForUnusual = 19

/**
 * Whether something has lasted unusually long: longer than 19 of 20 do. Undefined if it has not, or if fewer than 19
 * durations are known.
 *
 * *When to use*: to alert people to a step that seems to be stuck. One in twenty alerts is false.
 */
export const unusual = (durations: ReadonlyArray<number>, elapsedMs: number): Unusual | undefined => {
  const n = durations.length
  if (n < enoughForUnusual) return undefined
  const threshold = durations.toSorted((left, right) => left - right)[Math.ceil(0.95 * (n + 1)) - 1]!
  return elapsedMs > threshold ? { threshold, n } : undefined
}
