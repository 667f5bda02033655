/**
 * Draws what people see of a notification: docs/notify-email.png and docs/notify-slack.png, with Chromium.
 *
 *     node --conditions=@signalbox/source packages/notify/test/pictures.ts
 *
 * The mail is the one that is sent. Slack's blocks are drawn with a style sheet that looks as Slack does.
 */
import { messageText } from "@signalbox/core/spi"
import { sampleMessage } from "@signalbox/core/testing"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { mail } from "../src/email/mail.ts"
import { rootMessage, threadMessage } from "../src/slack/blocks.ts"

interface Text {
  readonly text: string
}
interface Block {
  readonly type: string
  readonly text?: Text
  readonly fields?: ReadonlyArray<Text>
  readonly elements?: ReadonlyArray<{ readonly text: Text | string; readonly style?: string }>
}

/** Drawn as dots: not every machine has a font with emoji. */
const signs: Readonly<Record<string, string>> = { "🔴": "#e01e5a", "🟠": "#ecb22e", "🔵": "#1d9bd1", "🟢": "#2eb67d" }

/** Markup in it is escaped already, in Slack's way, which is HTML's. */
const plain = (text: Text | string): string =>
  (typeof text === "string" ? text : text.text).replace(
    /[🔴🟠🔵🟢]/u,
    (sign) => `<i style="color:${signs[sign]}">●</i>`
  )

const drawn = ({ elements = [], fields = [], text, type }: Block): string =>
  type === "actions"
    ? `<p>${elements.map((one) => `<span class="button ${one.style ?? ""}">${plain(one.text)}</span>`).join("")}</p>`
    : type === "context"
      ? `<p class="context">${elements.map((one) => plain(one.text)).join(" ")}</p>`
      : `${text === undefined ? "" : `<p class="${type}">${plain(text).replaceAll("\n", "<br>")}</p>`}<div class="fields">${fields
          .map((one) => `<span>${plain(one)}</span>`)
          .join("")}</div>`

const post = (message: unknown, note = ""): string => {
  const { blocks } = message as { readonly blocks: ReadonlyArray<Block> }
  return `<article><b>Signalbox</b> <small>APP 10:31</small>${blocks.map(drawn).join("")}${note}</article>`
}

const slack = (): string => {
  const failed = sampleMessage("failed")
  const text = messageText(failed)
  return `<!doctype html><meta charset="utf-8"><style>
    body { font: 15px/1.46 Lato, "DejaVu Sans", sans-serif; color: #1d1c1d; margin: 16px; background: #fff }
    article { border-left: 4px solid #eee; padding: 4px 12px; margin: 0 0 12px } article.reply { margin-left: 32px }
    p { margin: 4px 0 } i { font-style: normal } small, .context { color: #616061; font-size: 12px } .section { white-space: pre-wrap }
    .fields { display: grid; grid-template-columns: 1fr 1fr; gap: 2px 16px }
    .button { border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px; margin-right: 8px; font-weight: bold; font-size: 13px }
  </style>${post(rootMessage(failed, text), '<p class="context">1 reply</p>')}
  ${post(threadMessage(failed, text)).replace("<article>", '<article class="reply">')}`
}

const email = (): string => {
  const failed = sampleMessage("failed")
  const { html } = mail(failed, messageText(failed)) as { readonly html: string }
  return html
}

const folder = mkdtempSync(join(tmpdir(), "signalbox-pictures-"))
try {
  for (const [name, html, height] of [
    ["email", email(), 320],
    ["slack", slack(), 430]
  ] as const) {
    const page = join(folder, `${name}.html`)
    writeFileSync(page, html)
    const target = fileURLToPath(new URL(`../../../docs/notify-${name}.png`, import.meta.url))
    const { error, status, stderr } = spawnSync(
      "chromium",
      [
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        `--window-size=760,${height}`,
        `--screenshot=${target}`,
        `file://${page}`
      ],
      { encoding: "utf8" }
    )
    if (error !== undefined || status !== 0) throw error ?? new Error(stderr)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
