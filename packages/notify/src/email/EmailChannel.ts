/**
 * The channel `email`: a mail for each notification, in one thread for each execution.
 */
import type { ChannelContext, PlainNotifier } from "@signalbox/core/plugin"
import MailComposer from "nodemailer/lib/mail-composer"
import { createHash } from "node:crypto"
import type { ConnectionOptions } from "node:tls"
import { emailOptions } from "./EmailOptions.ts"
import { mail, maxBytes } from "./mail.ts"
import { sendMail } from "./sendMail.ts"

const ports = { starttls: 587, tls: 465, none: 25 } as const

interface Rendered {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly isUrgent: boolean
}

/**
 * Opens a channel.
 *
 * *Details*: a repeat has the same `Message-ID`, by which mail programs drop it.
 */
export const open = ({ options, secret }: ChannelContext, tls?: ConnectionOptions): PlainNotifier => {
  const { from, host, password, port, security = "starttls", to, user } = emailOptions.read(options)
  const server = {
    host,
    port: port ?? ports[security],
    security,
    ...(user === undefined ? {} : { login: { user, pass: secret(password) } }),
    ...(tls === undefined ? {} : { tls })
  }
  const domain = from.slice(from.lastIndexOf("@") + 1)
  const messageId = (id: string) => `<${createHash("sha256").update(id).digest("hex").slice(0, 32)}@${domain}>`
  return {
    capabilities: { update: false, thread: true, acknowledge: true, dedupe: "key", limits: { bytes: maxBytes } },
    render: mail,
    send: async ({ delivery, rendered, signal }) => {
      const { subject, text, html, isUrgent } = rendered as unknown as Rendered
      const { earlier, id, message } = delivery
      const root = typeof earlier?.["root"] === "string" ? earlier["root"] : undefined
      const own = messageId(id)
      const isAnswer = root !== undefined && root !== own
      const composer = new MailComposer({
        from: { name: "Signalbox", address: from },
        to: [...to],
        subject,
        text,
        html,
        date: new Date(message.at),
        messageId: own,
        textEncoding: "quoted-printable",
        ...(isAnswer ? { inReplyTo: root, references: root } : {}),
        ...(isUrgent ? { priority: "high" as const } : {}),
        headers: { "Auto-Submitted": "auto-generated", "X-Signalbox-Delivery": id }
      })
      const built = await composer.compile().build()
      const rejected = await sendMail(server, { from, to }, built, signal)
      return { root: root ?? own, messageId: own, ...(rejected === 0 ? {} : { rejected }) }
    }
  }
}
