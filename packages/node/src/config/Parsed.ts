import type { Configuration } from "@signalbox/core/config"

/** A value and how its text writes it. */
export interface Parsed {
  readonly value: unknown
  readonly written: ReadonlyArray<Configuration.Written>
}

/** Why a text has no value: where, and what to do. It quotes only keys. */
export class NotParsed extends Error {
  readonly offset: number
  readonly hint: string
  constructor(offset: number, detail: string, hint: string) {
    super(detail)
    this.offset = offset
    this.hint = hint
  }
}

/** Converts offsets to lines and columns, both from 1. */
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

/** A duplicate key: the second one would silently replace the first. */
export const twice = (offset: number, path: string, line: number): NotParsed =>
  new NotParsed(offset, `the key ${path} is defined twice`, `Keep one of them; the other is in line ${line}.`)
