import { escapeUnfit, type Json } from "@signalbox/core/spi"

/** How long texts may be and how many items a list keeps, tried one after the other. */
const sizes = [
  [4_000, 100],
  [1_000, 40],
  [300, 30],
  [100, 20],
  [40, 10],
  [20, 3]
] as const

const cut = (value: Json, longest: number, most: number): Json => {
  if (typeof value === "string") {
    const line = escapeUnfit(value)
    // A pair of surrogates is not cut in half.
    return line.length <= longest ? line : `${line.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, "")}…`
  }
  if (Array.isArray(value)) return value.slice(-most).map((item) => cut(item as Json, longest, most))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cut(item as Json, longest, most)]))
}

/**
 * Shortens texts and leaves out the oldest items of lists, until the whole fits.
 */
export const shrunk = (part: Json, whole: (part: Json) => Json, fits: (whole: Json) => boolean): Json => {
  let last: Json = null
  for (const [longest, most] of sizes) {
    last = whole(cut(part, longest, most))
    if (fits(last)) break
  }
  return last
}
