/** Random messages by seed: kinds, texts of all lengths and alphabets, numbers of stacks, lines and links. */
import type { Message } from "@signalbox/core/spi"
import { sampleMessages, withOutsideText } from "@signalbox/core/testing"

const pieces = [
  "a",
  "deploy ",
  "<!channel>",
  "&",
  "&amp;",
  "*_~`",
  "\r\n",
  "\u001b[31m",
  "\u202e",
  "ü€",
  "😀",
  '"\\',
  "\ud800",
  "#@|",
  " "
]

/** Mulberry32. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** The message of a seed. */
export const fuzzed = (seed: number): Message => {
  const next = random(seed)
  const below = (n: number) => Math.floor(next() * n)
  const text = () => {
    let made = ""
    for (let n = below(12); n > 0; n--) made += pieces[below(pieces.length)]
    return made.repeat([1, 1, 1, 20, 200][below(5)]!)
  }
  const samples = sampleMessages()
  const message = withOutsideText(samples[seed % samples.length]!, text())
  const links = ["trace", "workflow", "dashboard", "acknowledge", "address", "console"] as const
  const stacks = message.stacks.flatMap((stack) =>
    Array.from({ length: below(12) }, () => ({ ...stack, version: text(), address: text() }))
  )
  const facts =
    message.facts.kind === "failed"
      ? { ...message.facts, lines: Array.from({ length: below(60) }, text) }
      : message.facts
  return {
    ...message,
    stacks,
    facts,
    links: Array.from({ length: below(12) }, (_, index) => ({
      to: links[index % links.length]!,
      url: [`https://x.example.com/${"p".repeat(below(4_000))}`, "javascript:alert(1)", "not a url", text()][below(4)]!
    }))
  }
}
