/**
 * Randomness for estimates: the same question always gets the same answer.
 */

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** One of several, all equally likely; `chance` is from 0 to 1. */
export const pick = <A>(values: ReadonlyArray<A>, chance: number): A => values[Math.floor(chance * values.length)]!

/** The same values in another order, always the same order for the same number of values. */
export const shuffled = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> => {
  const random = seeded(2)
  return values
    .map((value) => [random(), value] as const)
    .toSorted(([left], [right]) => left - right)
    .map(([, value]) => value)
}
