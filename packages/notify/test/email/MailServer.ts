/** A mail server on loopback, and what its mailbox shows. */
import type { NotifierSuite } from "@signalbox/core/testing"
import type { AddressInfo, Socket } from "node:net"
import { SMTPServer, type SMTPServerOptions } from "smtp-server"

/** The text of a quoted-printable part. */
const decoded = (part: string): string => {
  const bytes = part
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, "latin1").toString("utf8").replaceAll("\r\n", "\n")
}

/** Reads a mail of two alternatives. */
const readMail = (raw: string) => {
  const at = raw.indexOf("\r\n\r\n")
  const head = raw.slice(0, at).replaceAll(/\r\n[ \t]+/g, " ")
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1]
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1] ?? "no boundary"
  const parts = raw
    .slice(at)
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => decoded(part.slice(part.indexOf("\r\n\r\n") + 4)))
  return { header, text: parts[0] ?? "", html: parts[1] ?? "" }
}

const refused = (responseCode: number, text: string) => Object.assign(new Error(text), { responseCode })

interface Mail extends NotifierSuite.Received {
  readonly header: (name: string) => string | undefined
  readonly html: string
  readonly secure: boolean
}

/** Opens one. `fault` holds for the next mail. */
export const openMailServer = async (options: SMTPServerOptions = {}) => {
  const mails: Array<Mail> = []
  let next: NotifierSuite.ReceiverFault["_tag"] | undefined
  const isNext = (tag: typeof next) => {
    if (next !== tag) return false
    next = undefined
    return true
  }
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authOptional: true,
    logger: false,
    disableReverseLookup: true,
    closeTimeout: 1,
    onAuth: ({ password, username }, _, done) => {
      if (isNext("Denied") || password !== "s3cr3t-mail-password") done(refused(535, "5.7.8 no"))
      else done(null, { user: username ?? "" })
    },
    onMailFrom: (_, __, done) => {
      if (isNext("RateLimited")) done(refused(450, "4.7.1 greylisted, come back later"))
      else if (isNext("Unavailable")) done(refused(451, "4.3.0 try again later"))
      else done()
    },
    onRcptTo: ({ address }, _, done) =>
      isNext("Gone") || address.startsWith("gone@") ? done(refused(550, "5.1.1 no such user")) : done(),
    onData: (stream, session, done) => {
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        if (isNext("Hang")) return
        const raw = Buffer.concat(chunks).toString("utf8")
        const { header, html, text } = readMail(raw)
        const id = header("Message-ID") ?? ""
        const root = header("References")
        const known = mails.some((mail) => mail.id === id)
        const under = root === undefined ? {} : { under: root }
        const key = header("X-Signalbox-Delivery")
        if (!known) mails.push({ id, key, ...under, text, html, raw, changes: 0, header, secure: session.secure })
        if (isNext("Drop"))
          for (const { _socket } of server.connections as Iterable<{ readonly _socket: Socket }>) _socket.destroy()
        else done()
      })
    },
    ...options
  })
  server.on("error", () => {})
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    shown: () => [...mails],
    connections: () => server.connections.size,
    fault: (fault: NotifierSuite.ReceiverFault) => {
      next = fault._tag
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
  }
}
