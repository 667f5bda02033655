/**
 * How wide intervals have to be to hold as promised if the past does not quite resemble the present.
 */
import { coverage, enough, quantile } from "./Estimate.ts"

/** How much one interval that held, or did not, changes the next one. */
const pace = 0.05
/** Neither infinitely wide nor almost empty. */
const least = 0.005
const most = 0.2

/**
 * The probability that is left out on each side, chosen so that four of five intervals would have held so far: 0.1 if
 * all went as promised, less if durations come in good and bad times and intervals from the past are too narrow.
 *
 * *Details*: goes through `durations`, oldest first, and predicts each from at most `window` before it. Each interval
 * that did not hold widens the next one, and each that did narrows it a little. In the long run, the promised share
 * holds, as far as the range of the past allows: durations that keep rising exceed everything before them.
 *
 * *Source*: I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift", NeurIPS 2021 (arXiv
 * 2106.00170).
 */
export const tailOf = (durations: ReadonlyArray<number>, window: number): number => {
  let tail = (1 - coverage) / 2
  for (let index = enough; index < durations.length; index++) {
    const before = durations.slice(Math.max(0, index - window), index).toSorted((left, right) => left - right)
    const next = durations[index]!
    const missed = next < quantile(before, tail) || next > quantile(before, 1 - tail)
    tail = Math.min(most, Math.max(least, tail + (pace / 2) * (1 - coverage - (missed ? 1 : 0))))
  }
  return tail
}
