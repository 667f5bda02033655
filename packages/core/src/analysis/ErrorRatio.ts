/**
 * An always-valid sequential test of error counts: whether the candidate's error rate is more than `tolerated` times
 * the stable release's. You may look at it after every request and stop at any time.
 *
 * *Details*: between two looks the candidate has c requests with x errors, and the stable release s requests with y.
 * For a ratio r, let θ(r) = c·r / (c·r + s): the share of the errors that the candidate gets if its rate is r times as
 * high. The evidence of one look for r and against the tolerated ratio r₀ is
 *
 *     e(r) = (θ(r) / θ(r₀))^x · ((1 − θ(r)) / (1 − θ(r₀)))^y          for r > r₀
 *
 * and the total evidence of all looks is E = Σⱼ wⱼ · Π e(rⱼ), a mixture over ratios rⱼ > r₀ whose weights wⱼ, fixed
 * beforehand, sum to 1. The test says "worse" once E ≥ 1/α.
 *
 * *Why its false alarms are at most α, however often you look.* Let the requests of a look fail independently of each
 * other given everything before it, each with its own probability, as long as the candidate's mean p over the look is
 * at most r₀·q, where q is the stable release's mean. Write a = θ(r)/θ(r₀) > 1 and b = (1 − θ(r))/(1 − θ(r₀)) < 1. As 1
 * + z ≤ exp(z), the expectation of e(r) given the past is at most exp(c·p·(a − 1) − s·q·(1 − b)) ≤ exp(q·(c·r₀·(a − 1)
 * − s·(1 − b))). Now c·r₀/θ(r₀) = s/(1 − θ(r₀)) = c·r₀ + s, and a − 1 = (θ(r) − θ(r₀))/θ(r₀), 1 − b = (θ(r) − θ(r₀))/(1
 * − θ(r₀)): the exponent is zero. So each product is a non-negative supermartingale that starts at 1, so is their
 * mixture, and by Ville's inequality P(E ≥ 1/α at any look) ≤ α. The base rate may be unknown, tiny, and drift from
 * look to look. The shares of traffic may change from look to look too, but must not be chosen by the errors of that
 * look.
 *
 * *Gotchas*: requests that fail together (an outage of a dependency that hit one release only) count one by one.
 *
 * *Source*: mixtures of likelihood ratios: H. Robbins, "Statistical methods related to the law of the iterated
 * logarithm", Annals of Mathematical Statistics 41, 1970. J. Ville, "Étude critique de la notion de collectif", 1939.
 * Counts compared through which of the two an event belongs to, with a base rate that changes in time: M. Lindon and A.
 * Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022 (arXiv 2011.03567); watched rollouts: M.
 * Lindon, C. Sanden and V. Shirikian, "Rapid regression detection in software deployments through sequential testing",
 * KDD 2022 (arXiv 2205.14762), and R. Johari, P. Koomen, L. Pekelis and D. Walsh, "Always valid inference", Operations
 * Research 70,
 * 2022. Confidence sequences by inverting such tests: S. Howard, A. Ramdas, J. McAuliffe and J. Sekhon, "Time-uniform,
 *       nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49, 2021. The estimate: N. Mantel and
 *       W. Haenszel, Journal of the National Cancer Institute 22, 1959.
 */

/** Requests, and how many of them failed. */
export interface Count {
  readonly requests: number
  readonly errors: number
}

/** Counts of both releases over the same period. */
export interface Pair {
  readonly candidate: Count
  readonly stable: Count
}

/**
 * The evidence so far; made by `start` and `add`.
 *
 * *Details*: `support` is the logarithm of the likelihood of each ratio on a grid around the tolerated one, relative to
 * the tolerated one. `weighted` are the errors of each release with Mantel–Haenszel weights.
 */
export interface ErrorRatio extends Pair {
  readonly tolerated: number
  readonly weighted: { readonly candidate: number; readonly stable: number }
  readonly support: ReadonlyArray<number>
}

/** Distance of neighbouring ratios on the grid, as a logarithm: 5 %. */
const step = 0.05
/** How far the mixture reaches: ratios up to e³ ≈ 20 times the tolerated one. */
const reach = 60
/** How far an interval reaches: 1/1000 to 1000 times the tolerated ratio. */
const widest = 138
const centre = widest + reach
/** The ratios of the grid, relative to the tolerated one, as logarithms and as they are. */
const logs: ReadonlyArray<number> = Array.from({ length: 2 * centre + 1 }, (_, index) => step * (index - centre))
const ratios: ReadonlyArray<number> = logs.map(Math.exp)

/**
 * What the mixture expects of a bad candidate: 0.7 for a doubling (normal on the logarithm, deviation 0.2), 0.3 for any
 * ratio up to the end of its reach. The concentrated part finds doubled error rates soon, and the broad one finds the
 * rest. Any weights keep the false alarms below α. Index j stands for a ratio of e^(step·j).
 */
const weights: ReadonlyArray<number> = (() => {
  const at = Array.from({ length: reach }, (_, index) => step * (index + 1))
  const doubling = at.map((log) => Math.exp(-(((log - Math.LN2) / 0.2) ** 2) / 2))
  const total = doubling.reduce((sum, weight) => sum + weight, 0)
  return [0, ...doubling.map((weight) => (0.7 * weight) / total + 0.3 / reach)]
})()

/**
 * No evidence yet, against a `tolerated` ratio of error rates, candidate to stable (above 0).
 */
export const start = (tolerated: number): ErrorRatio => ({
  tolerated,
  candidate: { requests: 0, errors: 0 },
  stable: { requests: 0, errors: 0 },
  weighted: { candidate: 0, stable: 0 },
  support: logs.map(() => 0)
})

const plus = (left: Count, right: Count): Count => ({
  requests: left.requests + right.requests,
  errors: left.errors + right.errors
})

/** The sum of two periods. */
export const both = (left: Pair, right: Pair): Pair => ({
  candidate: plus(left.candidate, right.candidate),
  stable: plus(left.stable, right.stable)
})

/**
 * Adds the counts since the last look: new requests, not all requests.
 */
export const add = (before: ErrorRatio, { candidate, stable }: Pair): ErrorRatio => {
  const { tolerated } = before
  const errors = candidate.errors + stable.errors
  const requests = candidate.requests + stable.requests
  const expected = candidate.requests * tolerated + stable.requests
  const support =
    errors === 0
      ? before.support
      : before.support.map((support, index) => {
          const grown = (candidate.requests * tolerated * ratios[index]! + stable.requests) / expected
          return support + candidate.errors * logs[index]! - errors * Math.log(grown)
        })
  const weight = (count: number, other: number) => (requests === 0 ? 0 : (count * other) / requests)
  return {
    tolerated,
    ...both(before, { candidate, stable }),
    weighted: {
      candidate: before.weighted.candidate + weight(candidate.errors, stable.requests),
      stable: before.weighted.stable + weight(stable.errors, candidate.requests)
    },
    support
  }
}

/** Evidence that the ratio is above (`direction` 1) or below (−1) the one at `index`. */
const against = ({ support }: ErrorRatio, index: number, direction: 1 | -1): number =>
  weights.reduce(
    (sum, weight, j) => (j === 0 ? 0 : sum + weight * Math.exp(support[index + direction * j]! - support[index]!)),
    0
  )

/**
 * How strong the evidence is that the candidate's error rate is more than the tolerated multiple of the stable
 * release's.
 *
 * *Details*: starts at 1. If the ratio is tolerable, it ever reaches 1/α with a probability of at most α. A single
 * error never brings more than about 3.4, even if the stable release had none.
 */
export const evidence = (ratio: ErrorRatio): number => against(ratio, centre, 1)

/**
 * The Mantel–Haenszel ratio of the error rates: the plain ratio of all requests if the shares of traffic stayed the
 * same, and not misled by a base rate that moved together with them. Null if the stable release had no error, or one of
 * them no traffic.
 */
export const estimate = ({ weighted }: ErrorRatio): number | null =>
  weighted.stable === 0 ? null : weighted.candidate / weighted.stable

/**
 * A confidence sequence of the ratio: each end is ever on the wrong side of the true ratio, at any look, with a
 * probability of at most `alpha`.
 *
 * *Details*: the lower end is above the tolerated ratio exactly if `evidence` is at least 1/`alpha` (to one step of 5
 * %). 0 stands for a missing lower limit, 1,000 times the tolerated ratio for a missing upper one.
 */
export const interval = (ratio: ErrorRatio, alpha: number): readonly [lower: number, upper: number] => {
  const refused = (index: number, direction: 1 | -1) => against(ratio, index, direction) >= 1 / alpha
  const at = (index: number) => ratio.tolerated * ratios[index]!
  // The likelihood is concave in the logarithm of the ratio, so the rejected ratios are everything up to one end.
  const end = (direction: 1 | -1): number | undefined => {
    const indexOf = (distance: number) => (direction === 1 ? reach + distance : 2 * centre - reach - distance)
    if (!refused(indexOf(0), direction)) return undefined
    let low = 0
    let high = 2 * widest + 1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (refused(indexOf(middle), direction)) low = middle
      else high = middle
    }
    return at(indexOf(low))
  }
  return [end(1) ?? 0, end(-1) ?? at(centre + widest)]
}
