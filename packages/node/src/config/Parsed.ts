import type { Configuration } from "@signalbox/core/config"

/** A value and how it stands in its text. */
export interface Parsed {
  readonly value: unknown
  readonly written: ReadonlyArray<Configuration.Written>
}

/** Why a text gives no value: where, and what to do. It quotes nothing but keys. */
export class NotParsed extends Error {
  readonly offset: number
  readonly hint: string
  constructor(offset: number, detail: string, hint: string) {
    super(detail)
    this.offset = offset
    this.hint = hint
  }
}

/** Gives lines and columns of offsets, both from 1. */
export const positions = (text: string) => {
  const starts = [0]
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return (offset: number): { readonly line: number; readonly column: number } => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - starts[low]! + 1 }
  }
}

/** A key that stands twice: the second one would take the place of the first without a word. */
export const twice = (offset: number, path: string, line: number): NotParsed =>
  new NotParsed(offset, `the key ${path} stands twice`, `Keep one of them; the other is in line ${line}.`)
