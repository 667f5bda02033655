/** Times, durations and texts for people. */
import { escapeUnfit, unfitIn } from "@signalbox/core/spi"
import { shortSpan as span } from "@signalbox/core/text"

export { span }

/** `09:41:07`, local time; with the date where it is another day than `now`. */
export const clock = (at: number, now = Date.now()): string => {
  const two = (value: number) => String(value).padStart(2, "0")
  const date = new Date(at)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return new Date(now).toDateString() === date.toDateString() ? time : `${day} ${time}`
}

/** How long a question is open, and the answer that is assumed then; empty if it has no end. */
export const timeToAnswer = (
  { expiresAt, otherwise }: { readonly expiresAt?: number; readonly otherwise?: string },
  now: number
): string =>
  expiresAt === undefined
    ? ""
    : ` (${span(expiresAt - now)} left${otherwise === undefined ? "" : `, then ${otherwise}`})`

/** How long a stack was worked on, without the waits between its stages; undefined if it was not touched. */
export const workOf = (
  stack: { readonly stages: ReadonlyArray<{ readonly startedAt?: number; readonly finishedAt?: number }> },
  now: number
): number | undefined => {
  const spans = stack.stages.flatMap(({ finishedAt, startedAt }) =>
    startedAt === undefined ? [] : [(finishedAt ?? now) - startedAt]
  )
  return spans.length === 0 ? undefined : spans.reduce((sum, one) => sum + one, 0)
}

/** `12s ago`. */
export const ago = (at: number, now: number): string => `${span(Math.max(0, now - at))} ago`

/** The address of a stack: the first of its outputs that is a web address. */
export const addressOf = (outputs: Readonly<Record<string, unknown>>): string | undefined =>
  Object.values(outputs).find((value): value is string => typeof value === "string" && /^https?:\/\//.test(value))

/**
 * One line of text: characters that would break it, move the cursor or change the direction are escaped (`\\x1b`). Line
 * breaks become spaces, and the colours of tools are dropped.
 */
export const plain = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  escapeUnfit(text.replaceAll(/\u001b\[[0-9;]*m/g, "").replaceAll(/[\n\r\t]+/g, " "))

// eslint-disable-next-line no-control-regex
const ink = /\u001b\[(?:1|2|22|3[1-9])m/g

/** A printed line, with the colours of `paint`: nothing else in it reaches the terminal as a command. */
export const printable = (line: string): string => {
  let result = ""
  let from = 0
  for (const { 0: color, index } of line.matchAll(ink)) {
    result += escapeUnfit(line.slice(from, index)) + color
    from = index + color.length
  }
  return result + escapeUnfit(line.slice(from))
}

/** The same JSON, harmless in a terminal. */
export const printableJson = (json: string): string =>
  json.replaceAll(/[\u007f-\ud7ff\ue000-\uffff]/g, (character) =>
    unfitIn(character) === undefined
      ? character
      : String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, "0")
  )
