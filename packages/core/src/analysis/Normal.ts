/**
 * The standard normal distribution.
 */

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)

/**
 * P(Z > x), with a relative error of about 1e-14 even far out.
 *
 * *Source*: up to |x| = 3 the series of G. Marsaglia, "Evaluating the normal distribution", Journal of Statistical
 * Software 11(4), 2004; beyond it Laplace's continued fraction for Mills' ratio (Abramowitz & Stegun 26.2.14).
 */
export const above = (x: number): number => {
  if (x < -3) return 1 - above(-x)
  if (x > 3) {
    let fraction = 0
    for (let k = 100; k >= 1; k--) fraction = k / (x + fraction)
    return density(x) / (x + fraction)
  }
  let term = x
  let sum = x
  for (let k = 3; sum + term !== sum; k += 2) {
    term *= (x * x) / k
    sum += term
  }
  return 0.5 - density(x) * sum
}

/**
 * The x with P(Z > x) = `p`, for `p` strictly between 0 and 1.
 */
export const exceededBy = (p: number): number => {
  if (p > 0.5) return -exceededBy(1 - p)
  let low = 0
  let high = 40
  while (true) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) return middle
    if (above(middle) > p) low = middle
    else high = middle
  }
}
