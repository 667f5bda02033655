/**
 * SHA-256 of a text, synchronously: trace ids are needed where nothing can be awaited, and core runs anywhere.
 *
 * *Source*: FIPS 180-4, sections 4.1.2, 5 and 6.2.
 */

const fraction = (value: number) => Math.floor((value % 1) * 2 ** 32) | 0

/** The first 32 bits of the fractional parts of the roots of the first primes. */
const compute = () => {
  const primes = Array.from({ length: 312 }, (_, n) => n)
    .filter(
      (n) =>
        n > 1 && Array.from({ length: Math.floor(Math.sqrt(n)) }, (_, d) => d + 2).every((d) => d >= n || n % d !== 0)
    )
    .slice(0, 64)
  return {
    start: primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))),
    rounds: primes.map((prime) => fraction(Math.cbrt(prime)))
  }
}
let constants: ReturnType<typeof compute> | undefined

const utf8 = (text: string): ReadonlyArray<number> =>
  [...encodeURIComponent(text.toWellFormed()).matchAll(/%(..)|./g)].map(([char, hex]) =>
    hex === undefined ? char.charCodeAt(0) : Number.parseInt(hex, 16)
  )

const rotate = (word: number, by: number) => (word >>> by) | (word << (32 - by))

/** The digest of the UTF-8 text, as 64 hexadecimal digits. */
export const sha256 = (text: string): string => {
  const { rounds, start } = (constants ??= compute())
  const bytes = utf8(text)
  const words = Array.from({ length: (((bytes.length + 8) >> 6) + 1) * 16 }, () => 0)
  for (const [at, byte] of [...bytes, 0x80].entries()) words[at >> 2]! |= byte << (24 - (at % 4) * 8)
  words[words.length - 2] = Math.floor(bytes.length / 2 ** 29)
  words[words.length - 1] = bytes.length << 3
  const hash = [...start]
  for (let block = 0; block < words.length; block += 16) {
    const w = words.slice(block, block + 16)
    let [a, b, c, d, e, f, g, h] = hash as [number, number, number, number, number, number, number, number]
    for (let t = 0; t < 64; t++) {
      if (t >= 16) {
        const [early, late] = [w[t - 15]!, w[t - 2]!]
        const s0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
        const s1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
        w[t] = (w[t - 16]! + s0 + w[t - 7]! + s1) | 0
      }
      const t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + rounds[t]! + w[t]!
      const t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
      ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0]
    }
    for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) hash[at] = (hash[at]! + word) | 0
  }
  return hash.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
}
