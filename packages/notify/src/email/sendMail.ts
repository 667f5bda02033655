import { NotifyFailure } from "@signalbox/core/plugin"
import SMTPConnection from "nodemailer/lib/smtp-connection"
import type { ConnectionOptions } from "node:tls"
import { type SmtpFailure, smtpReason } from "./smtpReason.ts"

/** A server, and how it is reached. `tls` is for tests with a certificate of their own. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  readonly security: "starttls" | "tls" | "none"
  readonly login?: { readonly user: string; readonly pass: string }
  readonly tls?: ConnectionOptions
}

const timeout = 25_000

/**
 * Sends one mail over a connection of its own, and returns how many recipients were rejected.
 *
 * *Details*: the steps are taken one by one instead of through a transport, because only so it is known whether the mail may have
 * been taken, and only a connection ends when it is interrupted.
 *
 * *Errors*: rejects with a `NotifyFailure`.
 */
export const sendMail = (
  { host, login, port, security, tls = {} }: SmtpServer,
  envelope: { readonly from: string; readonly to: ReadonlyArray<string> },
  mail: Buffer,
  signal: AbortSignal
): Promise<number> =>
  new Promise((resolve, reject) => {
    const connection = new SMTPConnection({
      host,
      port,
      secure: security === "tls",
      requireTLS: security === "starttls",
      ignoreTLS: security === "none",
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      socketTimeout: 15_000,
      tls: { minVersion: "TLSv1.2", ...tls }
    })
    let isSending = false
    const end = (settle: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener("abort", abort)
      // Closing emits "end" at once, which must not be taken for the outcome.
      settle()
      connection.close()
    }
    const fail = (error: SmtpFailure) =>
      end(() => reject(new NotifyFailure(smtpReason(`${host}:${port}`, error, isSending))))
    const abort = () => fail({ code: "ABORTED" })
    const timer = setTimeout(() => fail({ code: "ETIMEDOUT" }), timeout)
    signal.addEventListener("abort", abort, { once: true })
    if (signal.aborted) return abort()

    const send = () => {
      isSending = true
      connection.send({ from: envelope.from, to: [...envelope.to] }, mail, (error, info) =>
        error === null ? end(() => resolve(info?.rejected.length ?? 0)) : fail(error)
      )
    }
    connection.on("error", fail)
    // A connection that is closed by the other side without an answer is no error to its library.
    connection.once("end", () => fail({ code: "ECONNRESET" }))
    return connection.connect((error) => {
      if (error !== undefined && error !== null) return fail(error)
      if (login === undefined) return send()
      return connection.login({ user: login.user, pass: login.pass, credentials: login }, (error) =>
        error === null ? send() : fail(error)
      )
    })
  })
