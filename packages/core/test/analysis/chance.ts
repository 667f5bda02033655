export { seeded } from "../../src/analysis/EstimateChance.ts"

/** How many of `n` requests fail, each with probability `p`: jumps from failure to failure. */
export const failures = (random: () => number, n: number, p: number): number => {
  if (p === 0) return 0
  const log = Math.log1p(-p)
  let count = 0
  let at = 0
  while (true) {
    at += Math.floor(Math.log1p(-random()) / log) + 1
    if (at > n) return count
    count += 1
  }
}

export const exponential = (random: () => number): number => -Math.log1p(-random())

export const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

export const many = <A>(n: number, make: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: n }, (_, index) => make(index))

/** Every way to choose `m` of `values`. */
export function* choices<A>(
  values: ReadonlyArray<A>,
  m: number
): Generator<readonly [ReadonlyArray<A>, ReadonlyArray<A>]> {
  if (m === 0) yield [[], values]
  else if (values.length === m) yield [values, []]
  else {
    const [head, ...rest] = values as [A, ...Array<A>]
    for (const [chosen, left] of choices(rest, m - 1)) yield [[head, ...chosen], left]
    for (const [chosen, left] of choices(rest, m)) yield [chosen, [head, ...left]]
  }
}
