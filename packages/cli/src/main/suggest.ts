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

/** The word that was probably meant: the one with the fewest edits, at most two. */
export const suggest = (word: string, words: ReadonlyArray<string>): string | undefined =>
  words
    .map((candidate) => [distance(word, candidate), candidate] as const)
    .filter(([edits]) => edits <= 2)
    .toSorted(([left], [right]) => left - right)[0]?.[1]
