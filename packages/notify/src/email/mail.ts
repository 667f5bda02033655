/**
 * A notification as a mail: subject, text and HTML.
 */
import { type Json, type Message, type MessageText, utf8Length } from "@signalbox/core/spi"
import { shrunk } from "../render/shrunk.ts"

/** The maximum of a mail before it is encoded. */
export const maxBytes = 60_000

const colours = { critical: "#b42318", warning: "#b54708", info: "#175cd3" } as const

const html = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")

const isLink = (url: string): boolean => /^https?:\/\//.test(url) && URL.canParse(url)

const asText = ({ fields, lines, links, title }: MessageText): string =>
  [
    title,
    "",
    ...fields.map(({ name, value }) => `${name}: ${value}`),
    ...(lines.length === 0 ? [] : ["", ...lines]),
    ...(links.length === 0 ? [] : ["", ...links.map(({ label, url }) => `${label}: ${url}`)]),
    ""
  ].join("\n")

const asHtml = ({ fields, lines, links, title }: MessageText, colour: string): string => {
  const rows = fields.map(
    ({ name, value }) =>
      `<tr><td style="padding:2px 16px 2px 0;color:#667085">${html(name)}</td><td>${html(value)}</td></tr>`
  )
  const buttons = links
    .filter(({ url }) => isLink(url))
    .map(({ label, url }) => `<a href="${html(url)}" style="margin-right:16px;color:#175cd3">${html(label)}</a>`)
  return [
    '<!doctype html><html><body style="font-family:sans-serif;font-size:14px;color:#101828">',
    `<h1 style="font-size:18px;border-left:4px solid ${colour};padding-left:12px">${html(title)}</h1>`,
    `<table style="border-collapse:collapse">${rows.join("")}</table>`,
    ...(lines.length === 0
      ? []
      : [`<pre style="background:#f2f4f7;padding:12px;white-space:pre-wrap">${lines.map(html).join("\n")}</pre>`]),
    ...(buttons.length === 0 ? [] : [`<p>${buttons.join("")}</p>`]),
    "</body></html>"
  ].join("\n")
}

/** Makes the mail, within `maxBytes`. */
export const mail = (message: Message, text: MessageText): Json => {
  const { severity } = message
  const whole = (part: Json): Json => {
    const cut = part as unknown as MessageText
    return {
      subject: cut.title.slice(0, 200).replace(/[\ud800-\udbff]$/, ""),
      text: asText(cut),
      html: asHtml(cut, colours[severity]),
      isUrgent: severity === "critical"
    }
  }
  const part: Json = {
    title: text.title,
    fields: text.fields.map(({ name, value }) => ({ name, value })),
    lines: [...text.lines],
    // A link that was cut leads nowhere.
    links: text.links
      .filter(({ url }) => url.length <= 2_000)
      .slice(0, 8)
      .map(({ label, url }) => ({ label, url }))
  }
  return shrunk(part, whole, (all) => utf8Length(JSON.stringify(all)) <= maxBytes)
}
