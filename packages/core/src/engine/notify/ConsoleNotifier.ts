/**
 * The channel `console`: notifications as lines of text.
 */
import * as Effect from "effect/Effect"
import type { Notifier, NotifierKind } from "../../spi/Notifier.ts"

/** Longer lines are cut. */
const longest = 400
/** More lines are left out, the oldest first. */
const most = 20

const cut = (line: string): string => (line.length > longest ? `${line.slice(0, longest - 1)}…` : line)

const consoleChannel = (write: (text: string) => void): Notifier => ({
  kind: "console",
  capabilities: {
    update: false,
    thread: false,
    acknowledge: false,
    dedupe: "none",
    limits: { bytes: 65_536 }
  },
  render: (message, { fields, lines, links, title }) => [
    cut(`[${message.severity}] ${title}`),
    ...fields.filter(({ name }) => name !== "severity").map(({ name, value }) => cut(`  ${name}: ${value}`)),
    ...lines.slice(-most).map((line) => cut(`  ${line}`)),
    ...links.slice(0, most).map(({ label, url }) => cut(`  ${label}: ${url}`))
  ],
  send: (_, rendered) =>
    Effect.sync(() => {
      write(`${(rendered as ReadonlyArray<string>).join("\n")}\n`)
      return {}
    })
})

/**
 * The kind `console`, which writes to `write`. A channel of it has no options.
 */
export const consoleNotifier = (write: (text: string) => void): NotifierKind => ({
  check: (options) =>
    Object.keys(options as object).map((key) => ({ path: [key], message: "the channel console has no such option" })),
  make: () => Effect.succeed(consoleChannel(write))
})
