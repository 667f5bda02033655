/** A sequence of numbers from 0 to 1 that only depends on its seed (mulberry32). */
export const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let hash = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash
  return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32
}
