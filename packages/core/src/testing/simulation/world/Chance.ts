/** Randomness that is reproducible from a seed. */

/** A stream of numbers from a seed. Drawing from one label does not affect the others. */
export interface Chance {
  /** A number from 0 (inclusive) to 1 (exclusive). */
  readonly next: () => number
  /** A whole number between both, inclusive. */
  readonly int: (from: number, to: number) => number
  readonly yes: (probability: number) => boolean
  readonly pick: <A>(of: readonly [A, ...Array<A>] | ReadonlyArray<A>) => A
}

/** Hashes a text to 32 bits (FNV-1a, then a finalizer, so that near texts give far numbers). */
export const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** Source: Mulberry32 by T. Ettinger, public domain. */
export const chance = (seed: number, label: string): Chance => {
  let state = hash(`${seed}/${label}`)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return { next, int, yes: (probability) => next() < probability, pick: (of) => of[int(0, of.length - 1)]! }
}
