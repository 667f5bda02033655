/**
 * The Mann–Whitney rank test, and the Hodges–Lehmann shift with its confidence interval: whether, and by how much, one
 * sample is larger than another, whatever distribution both have.
 *
 * *Source*: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger
 * than the other", Annals of Mathematical Statistics 18, 1947; J. L. Hodges and E. L. Lehmann, "Estimates of location
 * based on rank tests", 34, 1963; Hollander, Wolfe and Chicken, "Nonparametric Statistical Methods", 3rd edition,
 * chapter 4 (tie correction, interval).
 */
import * as Normal from "./Normal.ts"

/**
 * Outcome of the rank test.
 *
 * *Details*: `u` counts the pairs in which the first sample's value is larger, ties as one half; `effect` is its share
 * of all pairs, 0–1: the probability that a value of the first is larger than one of the second (common-language effect
 * size), 0.5 if they are alike. `greater` and `less` are one-sided p-values; `exact` says whether they come from the
 * exact distribution.
 */
export interface RankTest {
  readonly u: number
  readonly effect: number
  readonly greater: number
  readonly less: number
  readonly exact: boolean
}

/** Samples below this size, and without ties, get the exact distribution; so does R's `wilcox.test`. */
const exactBelow = 50

const ascending = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.toSorted((a, b) => a - b)

/**
 * P(U = u) for u = 0 … m·n if both samples come from one continuous distribution.
 *
 * *Source*: the recurrence of Mann and Whitney (1947) on the largest value: it belongs to the first sample with
 * probability m / (m + n), and is then larger than all n of the second. Positive terms only, so rounding does not grow.
 */
export const distribution = (m: number, n: number): ReadonlyArray<number> => {
  let row: ReadonlyArray<ReadonlyArray<number>> = Array.from({ length: n + 1 }, () => [1])
  for (let i = 1; i <= m; i++) {
    const next: Array<ReadonlyArray<number>> = [[1]]
    for (let j = 1; j <= n; j++) {
      const first = row[j]!
      const second = next[j - 1]!
      next.push(
        Array.from({ length: i * j + 1 }, (_, u) => (i * (u >= j ? first[u - j]! : 0) + j * (second[u] ?? 0)) / (i + j))
      )
    }
    row = next
  }
  return row[n]!
}

/** U of `first`, and Σ (t³ − t) over the groups of t tied values. Both are sorted. */
const countPairs = (first: ReadonlyArray<number>, second: ReadonlyArray<number>) => {
  let u = 0
  let ties = 0
  let i = 0
  let j = 0
  while (i < first.length || j < second.length) {
    const value = Math.min(first[i] ?? Infinity, second[j] ?? Infinity)
    const below = j
    let equal = 0
    while (second[j] === value) j += 1
    while (first[i] === value) {
      i += 1
      equal += 1
    }
    u += equal * (below + (j - below) / 2)
    const tied = equal + j - below
    ties += tied ** 3 - tied
  }
  return { u, ties }
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/**
 * Tests whether the values of `first` tend to be larger, or smaller, than the values of `second`. Neither may be empty.
 *
 * *Details*: exact for samples of less than 50 values each without ties; otherwise the normal approximation with its
 * variance corrected for ties and a continuity correction of ½.
 */
export const rankTest = (first: ReadonlyArray<number>, second: ReadonlyArray<number>): RankTest => {
  const m = first.length
  const n = second.length
  const { ties, u } = countPairs(ascending(first), ascending(second))
  const effect = u / (m * n)
  if (ties === 0 && m < exactBelow && n < exactBelow) {
    const chances = distribution(m, n)
    return { u, effect, greater: sum(chances.slice(u)), less: sum(chances.slice(0, u + 1)), exact: true }
  }
  const all = m + n
  const deviation = Math.sqrt(((m * n) / 12) * (all + 1 - ties / (all * (all - 1))))
  const beyond = (by: number) => (deviation === 0 ? 1 : Math.min(1, Normal.above((by - 0.5) / deviation)))
  return { u, effect, greater: beyond(u - (m * n) / 2), less: beyond((m * n) / 2 - u), exact: false }
}

/**
 * The median; the mean of the two middle values if their number is even. `values` must not be empty.
 */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = ascending(values)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}

/**
 * By how much the first sample is larger: the median of all differences, in the unit of the values. `interval` is null
 * if the samples are too small for an interval of that confidence.
 */
export interface Shift {
  readonly estimate: number
  readonly interval: readonly [lower: number, upper: number] | null
}

/**
 * Estimates the shift between two samples, with a two-sided interval of at least `confidence` (0–1, exclusive). Neither
 * sample may be empty.
 *
 * *Details*: the interval consists of order statistics of the m·n differences, from the same distribution of U as the
 * test: it holds exactly the shifts that a two-sided test at 1 − `confidence` does not reject. With ties it errs on the
 * wide side. Takes O(m + n) per order statistic, not O(m·n).
 */
export const shift = (first: ReadonlyArray<number>, second: ReadonlyArray<number>, confidence: number): Shift => {
  const x = ascending(first)
  const y = ascending(second)
  const pairs = x.length * y.length
  const middle = (pairs + 1) / 2
  const estimate = (difference(x, y, Math.floor(middle)) + difference(x, y, Math.ceil(middle))) / 2
  const k = cutOff(x.length, y.length, (1 - confidence) / 2)
  return { estimate, interval: k < 1 ? null : [difference(x, y, k), difference(x, y, pairs + 1 - k)] }
}

/**
 * The largest k with P(U ≤ k − 1) ≤ `tail`: the shift exceeds the k-th smallest difference except with that
 * probability.
 */
const cutOff = (m: number, n: number, tail: number): number => {
  if (m < exactBelow && n < exactBelow) {
    let k = 0
    let below = 0
    for (const chance of distribution(m, n)) {
      below += chance
      if (below > tail) return k
      k += 1
    }
  }
  const deviation = Math.sqrt((m * n * (m + n + 1)) / 12)
  return Math.floor((m * n) / 2 + 0.5 - Normal.exceededBy(tail) * deviation)
}

/** The `k`-th smallest, from 1, of all differences x − y. Both are sorted. */
const difference = (x: ReadonlyArray<number>, y: ReadonlyArray<number>, k: number): number => {
  const upTo = (limit: number): number => {
    let count = 0
    let j = 0
    for (const value of x) {
      while (j < y.length && value - y[j]! > limit) j += 1
      count += y.length - j
    }
    return count
  }
  const nextAfter = (limit: number): number => {
    let least = Infinity
    let j = 0
    for (const value of x) {
      while (j < y.length && value - y[j]! > limit) j += 1
      if (j > 0) least = Math.min(least, value - y[j - 1]!)
    }
    return least
  }
  let low = x[0]! - y.at(-1)!
  let high = x.at(-1)! - y[0]!
  if (upTo(low) >= k) return low
  for (let round = 0; round < 60; round++) {
    const middle = low + (high - low) / 2
    if (upTo(middle) >= k) high = middle
    else low = middle
  }
  // The differences themselves decide what bisection left open.
  while (true) {
    low = nextAfter(low)
    if (upTo(low) >= k) return low
  }
}
