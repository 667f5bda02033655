/**
 * A notification as blocks of Slack, within its limits.
 *
 * Text from outside stands in `plain_text`, where markup has no meaning, and is escaped, so that it mentions no one.
 */
import { type Json, type Message, type MessageText, utf8Length } from "@signalbox/core/spi"

/** The maximum of one message's blocks. Slack rejects messages from about 13,200 characters on. */
export const maxBytes = 11_000

const limits = { title: 1_000, fields: 10, buttons: 5, label: 75, url: 3_000 }

/** The longest value of a field, the longest line, all lines; tried one after the other. */
const sizes = [
  [1_000, 1_000, 2_900],
  [300, 300, 2_900],
  [150, 200, 1_500],
  [60, 80, 500],
  [20, 20, 100]
] as const

/** Escapes what Slack takes for markup, and cuts the result to `most` characters. */
export const escaped = (text: string, most: number): string => {
  const whole = text
    .slice(0, most + 1)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
  if (whole.length <= most) return whole
  // Neither an entity nor a pair of surrogates is cut in half.
  return `${whole
    .slice(0, most - 1)
    .replace(/&[a-z]*$/, "")
    .replace(/[\ud800-\udbff]$/, "")}…`
}

const plain = (text: string): Json => ({ type: "plain_text", text, emoji: false })

const sign = ({ facts, severity }: Message): string => {
  if (facts.kind === "completed" || facts.kind === "recovered") return "🟢"
  return { critical: "🔴", warning: "🟠", info: "🔵" }[severity]
}

/** The last lines that fit. */
const tail = (lines: ReadonlyArray<string>, longest: number, most: number): string => {
  const kept: Array<string> = []
  let length = 0
  for (const line of lines.toReversed()) {
    const text = escaped(line, longest)
    length += text.length + 1
    if (length > most) break
    kept.unshift(text)
  }
  return kept.join("\n")
}

const buttons = (links: MessageText["links"]): ReadonlyArray<Json> => {
  const fit = links.filter(({ url }) => /^https?:\/\//.test(url) && URL.canParse(url) && url.length <= limits.url)
  return fit.length === 0
    ? []
    : [
        {
          type: "actions",
          elements: fit.slice(0, limits.buttons).map(({ label, url }, index) => ({
            type: "button",
            action_id: `link-${index}`,
            text: plain(escaped(label, limits.label)),
            url
          }))
        }
      ]
}

interface SlackMessage {
  readonly text: string
  readonly blocks: ReadonlyArray<Json>
}

const fitting = (make: (sizes: readonly [number, number, number]) => SlackMessage): SlackMessage => {
  let last: SlackMessage | undefined
  for (const size of sizes) {
    last = make(size)
    if (utf8Length(JSON.stringify(last)) <= maxBytes) return last
  }
  // Links are what is left, and text says what happened.
  return { text: last!.text, blocks: last!.blocks.slice(0, 1) }
}

const lined = (text: string): ReadonlyArray<Json> => (text === "" ? [] : [{ type: "section", text: plain(text) }])

const titleOf = (message: Message, { title }: MessageText): string => `${sign(message)} ${escaped(title, limits.title)}`

/** What stands in the channel: the newest state, with links. */
export const rootMessage = (message: Message, text: MessageText): SlackMessage =>
  fitting(([value, line, all]) => {
    const fields = text.fields.slice(0, limits.fields)
    const title = titleOf(message, text)
    return {
      text: title,
      blocks: [
        { type: "section", text: plain(title) },
        ...(fields.length === 0
          ? []
          : [
              {
                type: "section",
                fields: fields.map(({ name, value: said }) => plain(`${escaped(name, 40)}: ${escaped(said, value)}`))
              }
            ]),
        ...lined(tail(text.lines, line, all)),
        ...buttons(text.links)
      ]
    }
  })

/** What stands in the thread: one event with its details. */
export const threadMessage = (message: Message, text: MessageText): SlackMessage =>
  fitting(([, line, all]) => {
    const title = titleOf(message, text)
    return { text: title, blocks: [{ type: "section", text: plain(title) }, ...lined(tail(text.lines, line, all))] }
  })
