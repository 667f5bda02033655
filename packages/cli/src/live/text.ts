/**
 * Lines that fit: text in styled pieces, cut by its displayed width.
 */
import { displayWidth } from "effect/cli/CliOutput"
import type { Paint, Style } from "../host/color.ts"
import { plain } from "./words.ts"

export type Piece = string | readonly [Style, string]
export type Line = ReadonlyArray<Piece>

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** Cuts a text to a width and ends it with `…` where something was cut. */
export const cut = (text: string, width: number): string => {
  if (width <= 0) return ""
  if (displayWidth(text) <= width) return text
  let result = ""
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    const next = displayWidth(segment)
    if (used + next > width - 1) break
    result += segment
    used += next
  }
  return `${result}…`
}

/** A line as text, at most `columns` wide. */
export const fit = (line: Line, columns: number, paint: Paint): string => {
  let left = columns
  let result = ""
  for (const piece of line) {
    const [style, raw] = typeof piece === "string" ? [undefined, piece] : piece
    const text = cut(plain(raw), left)
    result += style === undefined ? text : paint(style, text)
    left -= displayWidth(text)
    if (left <= 0) break
  }
  return result
}

/** Breaks a text between words so that no line is wider than `width`; a wider word is on a line of its own. */
export const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && displayWidth(last) + 1 + displayWidth(word) <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else lines.push(word)
  }
  return lines
}

/** Pads to a width. */
export const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - displayWidth(text)))

export { displayWidth }
