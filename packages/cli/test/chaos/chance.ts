/** Chance that can be had again: everything that a run draws follows from its seed. */
export interface Chance {
  /** From 0 up to, not including, 1. */
  readonly next: () => number
  /** A whole number from `low` to `high`, both included. */
  readonly int: (low: number, high: number) => number
  readonly one: <A>(of: ReadonlyArray<A>) => A
  readonly yes: (probability: number) => boolean
}

/** By the name of the purpose, so that more draws for one purpose do not affect another. */
export const chance = (...name: ReadonlyArray<string | number>): Chance => {
  let state = 2166136261
  for (const char of name.join("/")) state = Math.imul(state ^ char.charCodeAt(0), 16777619)
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  next()
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return { next, int, one: (of) => of[int(0, of.length - 1)]!, yes: (probability) => next() < probability }
}
