const distance = (left: string, right: string): number => {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[right.length]!
}

/**
 * The candidate that `word` was probably meant to be: the one with the fewest edits, at most a third of its length (and
 * two at least).
 */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  const lower = word.toLowerCase()
  let best: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = distance(lower, candidate.toLowerCase())
    if (edits < fewest && edits <= Math.max(2, Math.floor(candidate.length / 3))) {
      best = candidate
      fewest = edits
    }
  }
  return best
}
