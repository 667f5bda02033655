/**
 * What a failure of SMTP means for a notification.
 */
import type { NotifyReason } from "@signalbox/core/spi"

/** A failure as `nodemailer` reports it. */
export interface SmtpFailure {
  readonly message?: string | undefined
  readonly code?: string | undefined
  readonly response?: string | undefined
  readonly responseCode?: number | undefined
}

const aMinute = 60_000

/**
 * The reason.
 *
 * *Details*: `isSending` is true once the envelope was begun: if no answer arrives then, the mail may have been taken. Only codes
 * of the answer are shown. 4.7 is what servers answer that limit a rate or try a sender's patience (greylisting).
 */
export const smtpReason = (host: string, failure: SmtpFailure, isSending: boolean): NotifyReason => {
  const { code = "no code", message: said = "", response = "", responseCode } = failure
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})/.exec(response)?.[1] ?? ""
  // The library replaces the code of a failed handshake.
  if (code === "ETLS" || (code === "ESOCKET" && /certificate|\b(tls|ssl)\b|altnames/i.test(said))) {
    return {
      _tag: "Unavailable",
      message: `${host} offers no encryption with a valid certificate (${code})`,
      hint: "Renew the certificate, or add its authority to NODE_EXTRA_CA_CERTS."
    }
  }
  if (responseCode !== undefined && responseCode >= 400) {
    const message = `${host} answers ${responseCode} ${enhanced}`.trimEnd()
    if (responseCode < 500) {
      return enhanced.startsWith("4.7.")
        ? { _tag: "RateLimited", message, retryAfterMs: aMinute }
        : { _tag: "Unavailable", message }
    }
    if (responseCode === 552 || enhanced === "5.3.4") return { _tag: "TooLarge", message }
    if ([530, 534, 535, 538].includes(responseCode) || enhanced.startsWith("5.7.")) {
      return { _tag: "Denied", message, hint: "Check user and password, and whether this sender may send." }
    }
    const isRecipient = (responseCode === 550 && !/^5\.[2-7]/.test(enhanced)) || enhanced.startsWith("5.1.")
    return isRecipient ? { _tag: "Gone", message, hint: 'Check the addresses in "to".' } : { _tag: "Invalid", message }
  }
  if (code === "EAUTH") return { _tag: "Denied", message: `${host} offers no way to log in that is known here` }
  return isSending
    ? { _tag: "Unknown", message: `${host} gave no answer to the mail (${code})` }
    : { _tag: "Unavailable", message: `${host} cannot be reached (${code})` }
}
